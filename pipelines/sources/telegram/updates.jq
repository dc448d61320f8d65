# An update holds just one of message, edited_message, callback_query and others; only a new private message is a touch.
# update_id is drawn anew after a quiet week, so ids are made of chat and message.
.message // empty
| select(.chat.type // "private" | . == "private")
| select(.from.is_bot | not)
| {telegram: (.from.id | text)} as $who
| "\(.chat.id)/\(.message_id)" as $id
| (.date | unix_seconds) as $time
| (
    {
      id: "message/\($id)", type: "message", time: $time, identities: $who,
      message: (
        {platform: "telegram", direction: "in"}
        + if (.text // "") | startswith("/start ") then {ref: (.text[7:] | gsub("^\\s+|\\s+$"; ""))} else {} end
      )
    },
    # a contact is the writer's own only if it says so: anybody can forward somebody else's
    if .contact.user_id != null and .contact.user_id == .from.id then
      {id: "contact/\($id)", type: "identify", time: $time, identities: ($who + {phone: ("+" + (.contact.phone_number | ltrimstr("+")))})}
    else
      empty
    end
  )
