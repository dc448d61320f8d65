def count: text | if . == null then null else tonumber end;

# ---- one row

def fields: {campaign, campaign_id, ad_group, ad_group_id};

def tuple:
  fields as $of
  | {
      source: $settings.utm_source, medium: $settings.utm_medium, campaign: ($settings.campaign | fill($of)), content: ($settings.content | fill($of)),
      term: ($settings.term | fill($of))
    } | compact
  | if has("campaign") then . else error("the setting campaign is \($settings.campaign), and the row says nothing of it") end;

# Rows of one key would stand in each other's place, so the key's account holds everything that tells rows apart. A campaign's id is one of
# all of Direct, and a report does not name its login.
def key: [.campaign_id // .campaign, .ad_group_id // .ad_group, .device, .network] | map(select(. != null)) | join("/");

# A cost without a point is in micros: with returnMoneyInMicros false it has two digits behind one.
def cost:
  . // "0"
  | if $settings.money == "micros" or ($settings.money == "auto" and (contains(".") | not)) then micros
    elif $settings.money == "units" or $settings.money == "auto" then money
    else error("the setting money is \($settings.money), and none of micros, units and auto") end;

# days_of is the first and the last day that a row is about: "Costs (2026-10-05 - 2026-10-06)" is a title.
def days_of:
  if .day != null then [.day, .day]
  elif (.week // .month // .quarter // .year) != null then error("the row is about more than a day: take the field Date")
  else
    [$envelope.titles // [] | .[] | [scan("[0-9]{4}-[0-9]{2}-[0-9]{2}")] | select(length == 2)][-1]
    // error("nothing says which day the row is about: there is neither a column Date nor a title")
  end;

# report_row is a row of a report. The time is when we heard of it, so that what is said last stands.
def report_row:
  . as $row
  | (if .campaign == null and .campaign_id == null then error("the row has no campaign") else tuple end) as $utm
  | key as $key
  | days_of as [$from, $to]
  | if $from != $to and $settings.ranges != "spread" then
      error("the row is about the days \($from) to \($to): take the field Date, or set ranges to spread")
    else
      [days($from; $to)] as $days | ($days | length) as $n
      | [$row.cost | cost | money_shares($n)] as $amounts
      | ($row.impressions | count | if . == null then null else [shares($n)] end) as $impressions
      | ($row.clicks | count | if . == null then null else [shares($n)] end) as $clicks
      | range(0; $n) as $i
      | {
          id: "spend/\($days[$i])/\([$key, $utm] | stable_id)/\($received)", type: "spend", time: $received,
          spend: ({
            date: $days[$i], account: $key, utm: $utm, impressions: $impressions[$i], clicks: $clicks[$i], amount: $amounts[$i],
            currency: $settings.currency
          } | compact)
        }
    end;

# ---- what is asked for

def report:
  (if $settings.level == "ad_group" then ["AdGroupId", "AdGroupName"] elif $settings.level == "campaign" then [] else error("level is \($settings.level), and neither campaign nor ad_group") end) as $more
  | {
      SelectionCriteria: {DateFrom: $window.from, DateTo: $window.to},
      FieldNames: (["Date", "CampaignId", "CampaignName"] + $more + ["Impressions", "Clicks", "Cost"]),
      ReportName: "throughline \($account) \($window.from) \($window.to) \($received)",
      ReportType: (if $more == [] then "CAMPAIGN_PERFORMANCE_REPORT" else "ADGROUP_PERFORMANCE_REPORT" end),
      DateRangeType: "CUSTOM_DATE", Format: "TSV", IncludeVAT: $settings.vat, IncludeDiscount: "NO"
    };
