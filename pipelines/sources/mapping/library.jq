# Functions that every mapping has, beside those of jq and those that library.go adds.

# lookup finds what a workspace's table says of a key; null, or the third value, where it says nothing.
def lookup($table; $key): $tables[$table] | field($key);
def lookup($table; $key; $else): lookup($table; $key) | if . == null then $else end;

# local_time reads a time without a zone, in a zone, or the workspace's.
def local_time: local_time($workspace.timezone);

# phone is E.164, by a country, or the workspace's; null where it is no number.
def phone: phone($workspace.country);

# one_of gives the first of several values that says anything.
def one_of(f): first(f | select(. != null and . != "" and . != [] and . != {})) // null;

# fill puts an object's fields into a text: "{campaign}-{ad_group}" | fill($row). A field that is null leaves nothing; one that the
# object does not have is a fault, because it is a mistake in a setting.
def fill($fields):
  gsub("\\{(?<name>[A-Za-z0-9_]+)\\}"; .name as $n
    | if ($fields | has($n)) then $fields[$n] | text // "" else error("{\($n)} is none of {\($fields | keys | join("}, {"))}") end);

# days gives each day from one to another, both included.
def days($from; $to):
  def seconds: . + "T00:00:00Z" | fromdate;
  ($from | seconds) as $a | ($to | seconds) as $b
  | if $b < $a or $b - $a > 400 * 86400 then error("the days \($from) to \($to) are no range of 1 to 400 days") else range($a; $b + 1; 86400) | todate[:10] end;

# shares cuts a whole number into $n whole numbers that sum to it; the first ones are larger by one.
def shares($n): . as $all | (. % $n) as $rest | range($n) | ($all - $rest) / $n + (if . < $rest then 1 elif . < -$rest then -1 else 0 end);

# money_shares cuts an amount into $n amounts that sum to it, in whole cents; what is less than a cent goes to the first.
def money_shares($n):
  (dec_mul(.; 1000000) | tonumber) as $all | ($all % 10000) as $rest
  | [($all - $rest) / 10000 | shares($n) * 10000] | .[0] += $rest | .[] | micros;
