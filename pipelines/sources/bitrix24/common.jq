# Every value is a string, and ids are kept as such.

# call asks a method of the portal: the secret is in the address, the parameters are JSON.
def call($method; $params): {url: (($settings.rest_url | rtrimstr("/")) + "/" + $method), json: $params};

# failed is what the portal says of a request that it answered with 200; being asked too fast passes.
def failed:
  if .error == null or .error == "" then null
  else (if .error == "QUERY_LIMIT_EXCEEDED" or .error == "OPERATION_TIME_LIMIT" then "retry: " else "" end) + "\(.error) \(.error_description // "")"
  end;

def deal_hook: .event == "ONCRMDEALADD" or .event == "ONCRMDEALUPDATE";
def contact_hook: .event == "ONCRMCONTACTADD" or .event == "ONCRMCONTACTUPDATE";

# No contact is null, "" or "0".
def contact_id: text | if . == "0" then null else . end;

# from and until are the window's days as moments of the workspace's zone: a day without a zone would be the day of whoever owns the
# incoming webhook.
def moment_of_day: (. + "T00:00:00") | local_time | sub("\\.000Z$"; "+00:00");
def from: $window.from | moment_of_day;
def until: ($window.to + "T00:00:00Z" | fromdate + 86400 | todate[:10]) | moment_of_day;

# last_id goes on behind the last row of a full page.
def last_id(rows): rows // [] | if length == 50 then .[-1].ID | text else null end;

# A contact's id is a number of one portal: two portals of one workspace must not make one person of two.
def crm_contact: {crm_contact: "\($source.name)/\(.)"};

# A stage by the workspace's table: a name, or {stage, status}. The portal's own semantics say what the table does not: P is on the way,
# S is success, F is failure.
def stage_name: . as $id | lookup("stages"; $id) | (if type == "object" then .stage else . end) // ($id | text);
def stage_status($semantic):
  (lookup("stages"; .) | if type == "object" then .status else null end) // {P: "open", S: "won", F: "lost"}[$semantic | text // "P"];
def pipeline: text | if . == null then null else lookup("pipelines"; .; .) end;
def manager: text | if . == null or . == "0" then null else lookup("managers"; .; .) end;

# stage is one row of the history, at its own time. Nothing of the deal as it is now goes into it, so that it is the same however often
# and for whatever reason the history is read.
def stage:
  select(.STAGE_ID != null)
  | {
      id: "deal/\(.OWNER_ID)/stage/\(.ID)", type: "deal", time: (.CREATED_TIME | local_time), identities: {},
      deal: ({
        id: (.OWNER_ID | text), pipeline: (.CATEGORY_ID | pipeline), stage: (.STAGE_ID | stage_name),
        status: (.STAGE_SEMANTIC_ID as $semantic | .STAGE_ID | stage_status($semantic))
      } | compact)
    };

# A field that the workspace names; a field of money is "350.00|EUR".
def named($field): if $field == "" then null else .[$field] | if type == "array" then .[0] else . end end;
def money_of: text | if . == null then null else split("|")[0] | money end;

# deal is the deal as it stood when it was changed last. Its stages come from the history, which has their times. At one moment the id
# puts it before the stage ("at" < "stage"): a deal that is won with its amount is booked at once.
def deal:
  select(.ID != null)
  | (.DATE_MODIFY | local_time) as $time
  | {
      identities: (
        {crm_contact: (.CONTACT_ID | contact_id | if . == null then null else crm_contact.crm_contact end),
         anonymous_id: (named($settings.visitor_field) | text)} | compact),
      deal: ({
        id: (.ID | text), pipeline: (.CATEGORY_ID | pipeline), amount: (.OPPORTUNITY | money), currency: .CURRENCY_ID, title: .TITLE,
        cost_of_goods: (named($settings.cost_field) | money_of), reason: (named($settings.reason_field) | text),
        manager: (.ASSIGNED_BY_ID | manager), created_at: (.DATE_CREATE | local_time), deleted: false
      } | compact)
    }
  | {id: "deal/\(.deal.id)/at/\($time)/\(stable_id)", type: "deal", time: $time} + .;

# stage_now is for a portal that keeps no history, or not for us to read: the stage that the deal is in, at the time it came there.
def stage_now:
  {id: "deal/\(.ID)/stage-now/\(.MOVED_TIME // .DATE_MODIFY | local_time)/\(.STAGE_ID)", type: "deal",
   time: (.MOVED_TIME // .DATE_MODIFY | local_time), identities: {},
   deal: ({id: (.ID | text), pipeline: (.CATEGORY_ID | pipeline), stage: (.STAGE_ID | stage_name),
     status: (.STAGE_SEMANTIC_ID as $semantic | .STAGE_ID | stage_status($semantic))} | compact)};

# contact joins a contact's phones and e-mails; one that has none says nothing.
def contact:
  select(.ID != null)
  | {
      time: (one_of(.DATE_MODIFY, .DATE_CREATE) | local_time // $received),
      identities: ((.ID | crm_contact) + ({phone: [.PHONE[]?.VALUE | text // empty], email: [.EMAIL[]?.VALUE | text // empty]} | compact))
    }
  | select(.identities | has("phone") or has("email"))
  | {id: "contact/\(.identities.crm_contact | split("/")[-1])/\(.time)/\(.identities | stable_id)", type: "identify"} + .;
