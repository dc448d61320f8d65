# at finds a name, or a way through names and list positions, in what the template gave. Blank is null, and so is an unfilled {{name}}.
def at($way):
  dig($way)
  | if type == "object" or type == "array" then null else text end
  | if . != null and (startswith("{{") and endswith("}}") or ascii_downcase == "null") then null else . end;

def of_table($table): . as $in | $tables[$table] // {} | with_entries(.key as $k | .value as $way | .value = ($in | at($way))) | with_entries(select(.value != null));

# A duration is seconds, or h:mm:ss.
def seconds:
  if . == null then null
  else [split(":") | reverse[] | split(".")[0] | tonumber] | to_entries | map(.value * ([1, 60, 3600][.key] // error("a duration of more than three parts"))) | add end;

# A phone is often the digits of an international number, without the plus.
def number: if . != null and test("^[1-9][0-9]{9,14}$") then "+\(.)" | phone else phone end;

# A notification comes when a call has ended: it began so long before.
def started($f; $zone):
  if $f.started != null then $f.started | local_time($zone)
  else ($f.time | local_time($zone) | time_ms) - 1000 * ($f.total | seconds // 0) | unix_ms end;

def call:
  of_table("fields") as $f
  | ($f.talk | seconds) as $talk
  | lookup("notifications"; $f.notification // "") as $told
  | select($told != "ignore")
  | if $f.call == null then error("there is no \($tables.fields.call // "call") in it: the table fields must name what this account's template has") else . end
  | ($told // if $talk == null and $f.total == null then empty else "ended" end) as $means
  | (if $means != "ended" then $means elif ($talk // 0) > 0 then "answered" else "missed" end) as $status
  | lookup("directions"; $f.direction // "in" | ascii_downcase; "in") as $direction
  | ($f.client | number // $f.client // "") as $client
  | ($f.number | number // $f.number) as $ours
  | (if $settings.tracked then {} else of_table("utm") end) as $utm
  | {
      id: $f.call, type: "call", time: started($f; one_of($settings.timezone, $workspace.timezone)), identities: of_table("identities"),
      call: (
        {
          direction: $direction, from: (if $direction == "in" then $client else $ours end), to: (if $direction == "in" then $ours else $client end),
          status: $status, wait_seconds: ($f.wait | seconds), talk_seconds: $talk, manager: $f.manager, recording_url: $f.recording
        }
        | with_entries(select(.value != null))
        | if $utm == {} then . else . + {utm: $utm} end
      )
    };
