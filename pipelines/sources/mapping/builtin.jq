# Functions of jq that use guarded ones, as gojq has them (github.com/itchyny/gojq, builtin.jq; builtin.LICENSE, Copyright (c) 2019-2026
# itchyny). They stand here so that they are rewritten as every program is.

# Assignments to paths that are not written out (see guard.go); the others are jq's own.
def _safe_assign(p; $x): reduce path(p) as $q (.; setpath($q; $x));
def _safe_modify(p; f):
  reduce path(p) as $q ({v: ., d: []};
    . as {$v, $d}
    | label $out
    | ($v | getpath($q) | f | . as $new | {v: ($v | setpath($q; $new)), d: $d} | ., break $out),
      {v: $v, d: ($d + [$q])})
  | .d as $d
  | .v
  | if $d == [] then . else delpaths($d) end;

def add(f): [f] | add;
def map_values(f):
  if type == "array" then [.[] | first(f)]
  else [keys[] as $k | {($k): (.[$k] | first(f))}] | add // {} end;

def with_entries(f): to_entries | map(f) | from_entries;

def min_by(f): _min_by(map([f]));
def max_by(f): _max_by(map([f]));
def sort_by(f): _sort_by(map([f]));
def group_by(f): _group_by(map([f]));
def unique_by(f): _unique_by(map([f]));

def combinations:
  if length == 0 then
    []
  else
    .[0][] as $x | [$x] + (.[1:] | combinations)
  end;
def combinations(n): [limit(n; repeat(.))] | combinations;

def walk(f):
  def _walk:
    if type == "array" then
      map(_walk)
    elif type == "object" then
      map_values(_walk)
    end | f;
  _walk;

def del(f): delpaths([path(f)]);
def pick(f): . as $v |
  reduce path(f) as $p (null; setpath($p; $v | getpath($p)));

def match($re; $flags): _match($re; $flags; false)[];
def match($re):
  if $re | type == "array" then match($re[0]; $re[1]) else match($re; null) end;
def test($re; $flags): _match($re; $flags; true);
def test($re):
  if $re | type == "array" then test($re[0]; $re[1]) else test($re; null) end;
def capture($re; $flags): match($re; $flags) | .captures | _captures;
def capture($re):
  if $re | type == "array" then capture($re[0]; $re[1]) else capture($re; null) end;
def scan($re; $flags):
  match($re; $flags + "g") |
  if .captures == [] then
    .string
  else
    [.captures[].string]
  end;
def scan($re): scan($re; null);
def splits($re; $flags):
  .[foreach (match($re; $flags + "g"), null) as {$offset, $length}
      (null; {start: .next, end: $offset, next: $offset + $length})];
def splits($re): splits($re; null);
def split($re; $flags): [splits($re; $flags)];
def sub($re; str; $flags):
  reduce match($re; $flags) as {$offset, $length, $captures}
    ({s: ., r: []};
      reduce ($captures | _captures | str) as $s
        (.i = 0; .r[.i] += .s[.next:$offset] + $s | .i += 1) |
      .next = $offset + $length) | .r[] + .s[.next:] // .s;
def sub($re; str): sub($re; str; null);
def gsub($re; str; $flags): sub($re; str; $flags + "g");
def gsub($re; str): sub($re; str; "g");

def INDEX(stream; idx_expr):
  reduce stream as $row ({}; .[$row | idx_expr | tostring] = $row);
def INDEX(idx_expr): INDEX(.[]; idx_expr);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
