# An account's number with or without its dashes.
def account: text | if . == null then null else gsub("-"; "") end;

# ---- days as people write them

def months: [
  ["jan", "ene", "gen", "sty", "янв", "січ"], ["feb", "fév", "fev", "lut", "фев", "лют"], ["mar", "mär", "мар", "бер"],
  ["apr", "avr", "abr", "kwi", "апр", "кві"], ["may", "mai", "mag", "maj", "май", "мая", "тра"], ["jun", "juin", "giu", "cze", "июн", "чер"],
  ["jul", "juil", "lug", "lip", "июл", "лип"], ["aug", "aoû", "ago", "sie", "авг", "сер"], ["sep", "set", "wrz", "сен", "вер"],
  ["oct", "okt", "ott", "out", "paź", "окт", "жов"], ["nov", "lis", "ноя", "лис"], ["dec", "déc", "dez", "dic", "gru", "дек", "гру"]
];
def month: . as $word | first(months | to_entries[] | select(.value | any(. as $p | $word | test("^" + $p; "i"))) | .key + 1) // null;
def two: tostring | if length < 2 then "0" + . else . end;

# parts are the year, the month and the day that a text has; null where it has none.
def parts:
  if test("^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\\s*$") then [scan("[0-9]+") | tonumber]
  elif test("^\\s*[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{4}\\s*$") then [scan("[0-9]+") | tonumber] | [.[2], .[1], .[0]]
  elif test("[0-9]/[0-9]") then error("\(.) may be day and month or month and day: download the report with another form of dates")
  else
    [
      ([scan("[0-9]{4}")][0] | if . == null then null else tonumber end),
      (first(scan("\\p{L}{3,}") | month | numbers) // null),
      ([gsub("[0-9]{4}"; " ") | scan("[0-9]{1,2}")][0] | if . == null then null else tonumber end)
    ]
  end;
def joined: if any(.[]; . == null) then null else "\(.[0])-\(.[1] | two)-\(.[2] | two)" end;
def day: if . == null then null else . as $text | (parts | joined) // error("\($text) is no day that we can read") end;

# range is the days that a title is about: "Oct 3, 2026 - Oct 16, 2026", "1 – 3 października 2026"; null where it is about something else.
def range:
  [splits("\\s+-\\s+|\\s*[–—]\\s*")] as $ends
  | if ($ends | length) > 2 or ($ends | any(test("[0-9]") | not)) then null
    else
      ($ends[-1] | parts) as $to | ($ends[0] | parts) as $from
      | [($from | [.[0] // $to[0], .[1] // $to[1], .[2]] | joined), ($to | joined)]
      | if any(.[]; . == null) then null else . end
    end;

# days_of is the first and the last day that a row of a file is about.
def days_of:
  if .day != null then (.day | day | [., .])
  elif .longer != null then error("the row is about more than a day (\(.longer)): segment the report by day")
  else
    ([$envelope.titles // [] | .[] | range | select(. != null)][-1])
    // error("nothing says which day the row is about: there is neither a column Day nor a title with days")
  end;

# ---- one row

# What the row is of, for templates.
def fields: {campaign, campaign_id, ad_group, ad_group_id, account: .customer_id};

def tuple:
  fields as $of
  | {
      source: $settings.utm_source, medium: $settings.utm_medium, campaign: ($settings.campaign | fill($of)), content: ($settings.content | fill($of)),
      term: ($settings.term | fill($of))
    } | compact
  | if has("campaign") then . else error("the setting campaign is \($settings.campaign), and the row says nothing of it") end;

# Rows of one key would stand in each other's place, so the key's account holds everything that tells rows apart: two campaigns of one name
# are two, and so are two devices.
def key: [.customer_id, .campaign_id // .campaign, .ad_group_id // .ad_group, .device, .network] | map(select(. != null)) | join("/");

# spend is one row of one day or of several. The time is when we heard of it, so that what is said last stands.
def spend($from; $to):
  if $from != $to and $settings.ranges != "spread" then
    error("the row is about the days \($from) to \($to): segment the report by day, or set ranges to spread")
  else
    . as $row | tuple as $utm | key as $key
    | [days($from; $to)] as $days | ($days | length) as $n
    | [.amount | money_shares($n)] as $amounts
    | (if .impressions == null then null else [.impressions | shares($n)] end) as $impressions
    | (if .clicks == null then null else [.clicks | shares($n)] end) as $clicks
    | range(0; $n) as $i
    | {
        id: "spend/\($days[$i])/\([$key, $utm] | stable_id)/\($received)", type: "spend", time: $received,
        spend: ({
          date: $days[$i], account: $key, utm: $utm, impressions: $impressions[$i], clicks: $clicks[$i], amount: $amounts[$i],
          currency: ($row.currency // $settings.currency)
        } | compact)
      }
  end;

def count: text | if . == null then null else tonumber end;

# report_row is a row of a downloaded report.
def report_row:
  . as $row
  | (if .campaign == null and .campaign_id == null then error("the row has no campaign") else days_of end) as $days
  | {
      campaign: $row.campaign, campaign_id: $row.campaign_id, ad_group: $row.ad_group, ad_group_id: $row.ad_group_id,
      customer_id: (one_of($row.customer_id, $settings.customer_id) | account), device: $row.device, network: $row.network,
      amount: ($row.cost // "0"), impressions: ($row.impressions | count), clicks: ($row.clicks | count), currency: $row.currency
    }
  | spend($days[0]; $days[1]);

# api_row is a row of the API: one campaign or ad group on one day; micros and ids are texts.
def api_row:
  .segments.date as $day
  | {
      campaign: .campaign.name, campaign_id: (.campaign.id | text), ad_group: .adGroup.name, ad_group_id: (.adGroup.id | text),
      customer_id: (one_of(.customer.id, $account) | account), amount: (.metrics.costMicros // "0" | micros),
      impressions: (.metrics.impressions | count), clicks: (.metrics.clicks | count), currency: .customer.currencyCode
    }
  | spend($day; $day);

def query:
  (if $settings.level == "ad_group" then "ad_group" elif $settings.level == "campaign" then "campaign" else error("level is \($settings.level), and neither campaign nor ad_group") end) as $of
  | "SELECT customer.id, customer.currency_code, campaign.id, campaign.name, "
    + (if $of == "ad_group" then "ad_group.id, ad_group.name, " else "" end)
    + "segments.date, metrics.cost_micros, metrics.impressions, metrics.clicks FROM \($of) "
    + "WHERE segments.date BETWEEN '\($window.from)' AND '\($window.to)'";
