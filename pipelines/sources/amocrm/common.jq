# Every value is a string; times are unix seconds. A list may have come with holes, and then it is an object.

# moment_or is the first of some times that says anything; 0 does not.
def moment_or(f; $else): (first(f | text | select(. != null and . != "0")) // null) | if . == null then $else else unix_seconds end;

# values are those of a field, by its id, code or name. A value is {value, enum}, or the text itself (dates).
def values($which):
  if $which == "" then empty
  else
    ($which | text) as $which | .custom_fields[]? | select(.id == $which or .code == $which) | .values[]?
    | (if type == "object" then .value else . end) | text // empty
  end;

def stage: text as $id | if $id == null then null else lookup("stages"; $id) | (if type == "object" then .stage else . end) // $id end;
def status:
  text as $id | if $id == null then null
  else (lookup("stages"; $id) | if type == "object" then .status else null end) // {"142": "won", "143": "lost"}[$id] // "open" end;
def pipeline: text | if . == null then null else lookup("pipelines"; .; .) end;
def manager: text | if . == null or . == "0" then null else lookup("managers"; .; .) end;

# At one moment a lead is first added, then changed, then moved: the order of ids says so.
def rank($kind): {add: 1, update: 2, responsible: 2, status: 3, restore: 4}[$kind];

def lead($kind):
  select(.id != null)
  | moment_or(.updated_at, .last_modified, .date_create, .created_at; $received) as $time
  | {
      identities: ({
        anonymous_id: [values($settings.visitor_field)], phone: [values($settings.phone_field)], email: [values($settings.email_field)]
      } | compact),
      deal: ({
        id: (.id | text), pipeline: (.pipeline_id | pipeline), stage: (.status_id | stage), status: (.status_id | status),
        amount: (.price | money), currency: (if (.price | text) == null then null else $settings.currency end),
        cost_of_goods: (first(values($settings.cost_field)) // null | money), reason: (first(values($settings.reason_field)) // null),
        manager: (.responsible_user_id | manager), title: .name, created_at: moment_or(.date_create, .created_at; null)
      } | compact) + (if $kind == "restore" then {deleted: false} else {} end)
    }
  | {id: "lead/\(.deal.id)/\($time)/\(rank($kind))/\(stable_id)", type: "deal", time: $time} + .;

def deleted:
  select(.id != null)
  | {id: "lead/\(.id)/deleted/\($received)", type: "deal", time: $received, identities: {}, deal: {id: (.id | text), deleted: true}};

# The ids of one account: two accounts of one workspace must not make one person of two.
def ours: "\($source.name)/\(.)";

# linked are the leads that a contact belongs to: {"31001": {"ID": "31001"}}, or a list.
def linked: .linked_leads_id // {} | if type == "object" then keys[] elif type == "array" then .[] | (if type == "object" then .ID else . end) | text // empty else empty end;

def contact:
  select(.id != null and .type != "company")
  | moment_or(.updated_at, .last_modified, .date_create, .created_at; $received) as $time
  | (.id | text) as $id
  | ({
      crm_contact: ($id | ours), phone: [values("PHONE")], email: [values("EMAIL")], anonymous_id: [values($settings.visitor_field)],
      deal: [linked | ours]
    } | compact)
  | select(length > 1)
  | {id: "contact/\($id)/\($time)/\(stable_id)", type: "identify", time: $time, identities: .};
