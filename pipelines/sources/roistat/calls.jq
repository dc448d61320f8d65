# Roistat sends a call as it begins, and again when it has ended: then with a status and a duration.

# A phone is the digits of an international number, without the plus.
def number: text | if . != null and test("^[1-9][0-9]{9,14}$") then "+\(.)" | phone else phone end;

def utm_of:
  {source: .utm_source, medium: .utm_medium, campaign: .utm_campaign, content: .utm_content, term: .utm_term}
  | with_entries(select(.value | text != null));

# Of a site without our tracker: what Roistat says of the visit, by its best word.
def source_of:
  if $settings.tracked then null
  else one_of(utm_of, (.landing_page | utm), lookup("markers"; .marker)) end;

# A visitor has a number for each visit; the first one's joins them all.
def identities:
  {
    roistat_visit: [.visit_id, .first_visit | text], ga_client_id: [.google_client_id | text],
    deal: [.order_id | text | if . != null and . != "0" and $settings.deals != "" then "\($settings.deals)/\(.)" else null end]
  }
  | map_values(map(select(. != null)) | unique) | compact;

select((.id | text) != null)
| (.status | text) as $status
| (if $settings.begun_is != "" then $settings.begun_is elif $status == null then null else lookup("statuses"; $status | ascii_upcase; "missed") end) as $means
| (.date | local_time(one_of($settings.timezone, $workspace.timezone))) as $time
| identities as $who
| (.caller | number) as $client
| if $settings.begun_is != "" and $status != null then
    empty # it was counted as it began
  elif $means == null then
    ($who + if $client != null then {phone: $client} else {} end) as $all
    | select($all != {})
    | {id: "begun/\(.id | text)", type: "identify", time: $time, identities: $all}
  else
    {
      id: "call/\(.id | text)", type: "call", time: $time, identities: $who,
      call: (
        {direction: "in", from: ($client // .caller // ""), to: (.callee | number), status: $means}
        + if $means == "answered" and (.duration | text) != null then {talk_seconds: (.duration | tonumber)} else {} end
        + if (.link | text) != null then {recording_url: .link} else {} end
        + (source_of | if . == null then {} else {utm: .} end)
      )
    }
  end
