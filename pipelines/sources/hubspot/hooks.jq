# eventId is not unique, and the same change comes again with another attemptNumber: ids are made of what changed and when.
def at: .occurredAt | unix_ms;

def deal_event($id; $part):
  {type: "deal", time: at, identities: {}, deal: ({id: $id} + $part)};

# One property of a deal. Closedate is left alone: people fill it in beforehand; a deal is won when its stage says so.
def property:
  .propertyName as $name | .propertyValue as $value
  | if $name == "dealstage" then (if ($value | text) == null then null else $value | stage_of(null) end)
    elif $name == "amount" then {amount: ($value | amount)}
    elif $name == "deal_currency_code" then {currency: $value}
    elif $name == "pipeline" then {pipeline: ($value | pipeline)}
    elif $name == "hubspot_owner_id" then {manager: ($value | manager)}
    elif $name == "dealname" then {title: $value}
    elif $name == "closed_lost_reason" then {reason: $value}
    elif $name == "createdate" then {created_at: ($value | moment)}
    elif $name == $settings.cost_property then {cost_of_goods: ($value | amount)}
    else null end
  | if . == null then null else compact | if . == {} then null else . end end;

def deal_change:
  (.objectId | text) as $id
  | if change == "propertyChange" and .propertyName == $settings.visitor_property then
      # the visitor that a form of the deal's own knows
      select((.propertyValue | text) != null)
      | {id: "visitor/\($id)/\(stable_id("propertyValue"; "occurredAt"))", type: "identify", time: at,
         identities: {deal: ($id | ours), anonymous_id: .propertyValue}}
    elif change == "propertyChange" then
      property as $part | select($part != null)
      # at one moment an amount comes before the stage: a deal that is won with its amount is booked at once
      | "change/\($id)/\(at)/\(if .propertyName == "dealstage" then 2 else 1 end)/\(stable_id("propertyName"; "propertyValue"))" as $event
      | {id: $event} + deal_event($id; $part)
    elif change == "creation" then {id: "created/\($id)"} + deal_event($id; {created_at: at})
    elif change == "deletion" then {id: "deleted/\($id)/\(at)"} + deal_event($id; {deleted: true})
    elif change == "restore" then {id: "restored/\($id)/\(at)"} + deal_event($id; {deleted: false})
    elif change == "merge" then
      # what was merged into another deal is gone, and its money with it
      merged as $left | . as $hook
      | [.primaryObjectId, .mergedObjectIds[]?] | map(text // empty) | unique | .[] | select(. != $left) as $gone
      | $hook | {id: "merged/\($gone)/\(at)"} + deal_event($gone; {deleted: true})
    else empty end;

def contact_change:
  (.objectId | text) as $id
  | if change == "propertyChange" then
      .propertyName as $name | .propertyValue as $value
      | (if $name == "email" or $name == "hs_additional_emails" then {email: ({($name): $value} | emails)}
         elif $name == "phone" or $name == "mobilephone" then {phone: ({($name): $value} | phones)}
         elif $name == $settings.visitor_property then {anonymous_id: $value}
         else {} end | compact) as $who
      | select($who != {})
      | {id: "contact/\($id)/\(at)/\(stable_id("propertyName"; "propertyValue"))", type: "identify", time: at, identities: ({crm_contact: ($id | ours)} + $who)}
    elif change == "merge" then
      # two contacts that are one have been one all along
      ([.primaryObjectId, .mergedObjectIds[]?, .newObjectId] | map(text // empty | ours) | unique) as $all
      | select($all | length > 1)
      | {id: "contact/\($id)/merged/\(at)", type: "identify", time: at, identities: {crm_contact: $all}}
    else empty end;

# What was read back, as it stood when it was changed last.
def snapshot:
  .properties as $p | (.id | text) as $id | ($p.hs_lastmodifieddate | moment) as $time
  | {
      identities: ({anonymous_id: (if $settings.visitor_property == "" then null else $p[$settings.visitor_property] end)} | compact),
      deal: ({
        id: $id, title: $p.dealname, amount: ($p.amount | money), currency: $p.deal_currency_code, pipeline: ($p.pipeline | pipeline),
        manager: ($p.hubspot_owner_id | manager), created_at: ($p.createdate | moment), reason: $p.closed_lost_reason,
        cost_of_goods: (if $settings.cost_property == "" then null else $p[$settings.cost_property] | money end)
      } + (if ($p.dealstage | text) == null then {} else
             $p.dealstage | stage_of(if $p.hs_is_closed_won == "true" then "won" elif $p.hs_is_closed == "true" then "lost" else "open" end) end)
        | compact)
    }
  | {id: "deal/\($id)/\($time)/\(stable_id)", type: "deal", time: $time} + .;

def contact:
  .properties as $p | (.id | text) as $id
  | ({phone: ($p | phones), email: ($p | emails), anonymous_id: (if $settings.visitor_property == "" then null else $p[$settings.visitor_property] end)} | compact) as $who
  | select($who != {})
  | ($p.lastmodifieddate | moment // $received) as $time
  | {id: "contact/\($id)/\($time)/\($who | stable_id)", type: "identify", time: $time, identities: ({crm_contact: ($id | ours)} + $who)};

def link($deal; $contact):
  {id: "link/\($deal)/\($contact)/\(at)", type: "identify", time: at, identities: {crm_contact: ($contact | ours), deal: ($deal | ours)}};

. as $hook | ($responses // {}) as $answers
| (if object == "deal" then deal_change elif object == "contact" then contact_change else empty end),
  (association // empty | . as $a | $hook | link($a.deal; $a.contact)),
  ($answers.deal.results // [] | .[] | snapshot),
  (deal_to_ask as $deal | if $deal == null then empty else (linked - [association.contact // empty]) | .[] as $c | $hook | link($deal; $c) end),
  ($answers.contacts.results // [] | .[] | contact)
