# One call that has ended, told once. PORTAL_NUMBER may be a line's name (reg117) or an application's (REST_APP:) and no number.
.data
| (.CALL_TYPE | text) as $type
| (if $type == "2" or $type == "3" then "in" else "out" end) as $direction
| (one_of(lookup("lines"; .PORTAL_NUMBER), .PORTAL_NUMBER) // "unknown") as $line
| (.CALL_FAILED_CODE | text // "") as $code
| (if $code == "200" then "answered"
   elif $code == "486" then "busy"
   elif $code == "304" or $code == "480" or $code == "603" or $code == "603-S" then "missed"
   else "failed" end) as $status
| {
    id: "call/\(.CALL_ID)", type: "call", time: (.CALL_START_DATE | local_time), identities: {},
    call: ({
      direction: $direction,
      from: (if $direction == "in" then .PHONE_NUMBER else $line end),
      to: (if $direction == "in" then $line else .PHONE_NUMBER end),
      status: $status,
      talk_seconds: (if $status == "answered" then .CALL_DURATION | text | if . == null then null else tonumber end else null end),
      manager: (.PORTAL_USER_ID | manager)
    } | compact)
  }
