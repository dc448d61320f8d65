# A hook names an id; what it means was asked back. Other events of the same name (fields of the form, recurring deals) mean nothing.
if deal_hook then
  ($responses.deal.result | deal),
  ($responses.contact.result // empty | contact),
  ($responses.history // [] | if . == [] then $responses.deal.result | select(.STAGE_ID != null) | stage_now else .[] | stage end)
elif .event == "ONCRMDEALDELETE" then
  # the queue's time is all that is known of when: the deal is gone and cannot be asked
  {
    id: "deal/\(.data.FIELDS.ID)/deleted/\(.ts)", type: "deal", time: (.ts | unix_seconds), identities: {},
    deal: {id: (.data.FIELDS.ID | text), deleted: true}
  }
else
  empty
end
