# One hook may hold several kinds of news, and several leads of each kind.
def rows($kind): .[$kind] // empty | .[]?;

# What somebody filled in: an e-mail is known by its form, a phone by what its field is called.
def filled:
  [.source_data.data // {} | .[]? | select(type == "object" and (.value | type) == "string")];
def incoming:
  filled as $filled
  | (.data.contacts // [] | [.[]?]) as $contacts
  | (.data.leads // [] | [.[]?]) as $leads
  | ({
      phone: ([$contacts[] | values("PHONE")]
        + [$filled[] | select("\(.id) \(.name)" | test("phone|fone|tel|телефон"; "i")) | .value | text // empty] | unique),
      email: ([$contacts[] | values("EMAIL")]
        + [$filled[].value | text // empty | select(test("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$"))] | unique),
      anonymous_id: ([($leads[], $contacts[]) | values($settings.visitor_field)] | unique),
      deal: [(.lead_id, $leads[].id) | text // empty | ours] | unique
    } | compact) as $who
  | moment_or(.created_at, .date_create, .source_data.date; $received) as $time
  | if .category == "forms" then
      {id: "incoming/\(.uid)", type: "form", time: $time, identities: $who,
       form: ({form_id: (.source_data.form_id | text), url: (.source_data.origin.referer // null)} | compact)}
    elif .category == "sip" and $settings.incoming_calls then
      {id: "incoming/\(.uid)", type: "call", time: $time, identities: $who,
       call: ({
         direction: "in", from: (.source_data.from | text), to: (.source_data.phone // .source_data.to | text // "unknown"),
         status: (if (.source_data.duration | text // "0") == "0" then "missed" else "answered" end),
         talk_seconds: (.source_data.duration | text | if . == null or . == "0" then null else tonumber end),
         recording_url: (.source_data.link // null)} | compact)}
    else
      empty
    end;

(.leads // {} | ("add", "update", "responsible", "status", "restore") as $kind | rows($kind) | lead($kind)),
(.leads // {} | rows("delete") | deleted),
(.contacts // {} | rows("add", "update") | contact),
(.unsorted // {} | rows("add") | incoming)
