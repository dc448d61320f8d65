# data is what the object is now, null when it was deleted; previous is what it was, with all of its fields when it was deleted.
def person($id): if $id == null then {} else {crm_contact: "\($source.name)/\($id)"} end;
def values: [.[]? | .value | select(text != null)];

.meta as $meta
| one_of(.data, .previous) as $it
| "\($meta.entity)/\($it.id)/\($meta.timestamp)" as $id # a repetition has the same, whatever its attempt
| if $meta.entity == "deal" then
    lookup("stages"; $it.stage_id; {}) as $named
    | ($named | if type == "string" then {stage: .} end) as $stage
    | {
        id: $id, type: "deal", time: $meta.timestamp, identities: person($it.person_id),
        deal: {
          id: ($it.id | text),
          pipeline: ($stage.pipeline // ($it.pipeline_id | text)),
          stage: ($stage.stage // ($it.stage_id | text)),
          status: ($it.status | if IN("won", "lost") then . else "open" end),
          amount: ($it.value | money),
          currency: $it.currency,
          manager: lookup("owners"; $it.owner_id; $it.owner_id | text),
          reason: $it.lost_reason,
          title: $it.title,
          created_at: ($it.add_time | local_time("UTC")),
          deleted: ($meta.action == "delete" or $it.status == "deleted" or $it.is_deleted == true)
        }
      }
  elif $meta.entity == "person" and $meta.action != "delete" then
    {
      id: $id, type: "identify", time: $meta.timestamp,
      identities: (person($it.id) + {phone: ($it.phones | values), email: ($it.emails | values)})
    }
  else
    empty
  end
