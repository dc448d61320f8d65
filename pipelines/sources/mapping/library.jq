# Functions that every mapping has, beside those of jq and those that library.go adds.

# lookup finds what a workspace's table says of a key; null, or the third value, where it says nothing.
def lookup($table; $key): $tables[$table] // {} | .[$key | text // ""];
def lookup($table; $key; $else): lookup($table; $key) | if . == null then $else end;

# local_time reads a time without a zone, in a zone, or the workspace's.
def local_time: local_time($workspace.timezone);

# phone is E.164, by a country, or the workspace's; null where it is no number.
def phone: phone($workspace.country);

# money reads a number or a text as a decimal of at most six digits behind the point; blank is null.
def money: if . == null or . == "" then null else decimal end;

# one_of gives the first of several values that says anything.
def one_of(f): first(f | select(. != null and . != "" and . != [] and . != {})) // null;
