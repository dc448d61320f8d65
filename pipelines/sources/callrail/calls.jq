# The same call comes again whenever somebody edits it: same id, so that it is a duplicate and no second call.
# start_time has an offset; datetime is UTC without saying so and is left alone. "" stands for nothing.
# A call has no click ids of its own, so that what one says is said as utm values (SPEC §4).
def utm_of:
  one_of(
    ({source: .utm_source, medium: .utm_medium, campaign: .utm_campaign, content: .utm_content, term: .utm_term} | with_entries(select(.value | text != null))),
    (.landing_page_url | utm),
    (if (.gclid | text) != null then {source: "google", medium: "cpc"} elif (.msclkid | text) != null then {source: "bing", medium: "cpc"} else null end)
  ) // {};

# The hook at a call's beginning has its id as resource_id, and cannot say what becomes of it: if it counted, what stands would depend on
# which of the two came first.
select(.answered != null)
| one_of(.id, .resource_id) as $call
| select(one_of(.start_time, .timestamp) != null)
| (one_of(.direction, "inbound")) as $direction
| one_of(.tracking_phone_number, .trackingnum) as $company
| one_of(.customer_phone_number, .callernum) as $client
| {
    id: ($call | text),
    type: "call",
    time: one_of(.start_time, .timestamp),
    identities: {},
    call: (
      {
        direction: (if $direction == "outbound" then "out" else "in" end),
        from: (if $direction == "outbound" then $company else $client end),
        to: (if $direction == "outbound" then $client else $company end),
        status: (if .voicemail == true then "voicemail" elif .answered == true then "answered" else "missed" end),
        recording_url: .recording
      }
      + if .answered == true and (.duration | text) != null then {talk_seconds: (.duration | tonumber)} else {} end
      + (utm_of | if . == {} then {} else {utm: .} end)
    )
  }
