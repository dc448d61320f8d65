def count: text | if . == null then null else tonumber end;

def fields: {
  campaign: .campaign_name, campaign_id, adset: .adset_name, adset_id, ad: .ad_name, ad_id, platform: .publisher_platform,
  account: (.account_id | text)
};

def tuple:
  fields as $of
  | {
      source: ($settings.utm_source | fill($of)), medium: $settings.utm_medium, campaign: ($settings.campaign | fill($of)),
      content: ($settings.content | fill($of)), term: ($settings.term | fill($of))
    } | compact
  | if has("campaign") then . else error("the setting campaign is \($settings.campaign), and the row says nothing of it") end;

# Rows of one key would stand in each other's place, so the key's account holds everything that tells rows apart: names are not unique,
# and insights may be broken down.
def broken_down: [
  .publisher_platform, .platform_position, .impression_device, .device_platform, .age, .gender, .country, .region, .dma,
  .hourly_stats_aggregated_by_advertiser_time_zone, .hourly_stats_aggregated_by_audience_time_zone
];
def key: ([.account_id, .campaign_id // .campaign_name, .adset_id, .ad_id] + broken_down) | map(text // empty) | join("/");

# row is a row of insights; every number is a text. The time is when we heard of it, so that what is said last stands.
def row:
  . as $row
  | if .date_start == null or .date_stop == null then error("the row has no date_start and date_stop") else . end
  | if .date_start != .date_stop and $settings.ranges != "spread" then
      error("the row is about the days \(.date_start) to \(.date_stop): ask with time_increment=1, or set ranges to spread")
    else . end
  | if .spend == null then error("the row has no spend: ask for the field spend") else . end
  | tuple as $utm | key as $key
  | [days(.date_start; .date_stop)] as $days | ($days | length) as $n
  | [.spend | money | money_shares($n)] as $amounts
  | (.impressions | count | if . == null then null else [shares($n)] end) as $impressions
  | (.[$settings.clicks] | count | if . == null then null else [shares($n)] end) as $clicks
  | range(0; $n) as $i
  | {
      id: "spend/\($days[$i])/\([$key, $utm] | stable_id)/\($received)", type: "spend", time: $received,
      spend: ({
        date: $days[$i], account: $key, utm: $utm, impressions: $impressions[$i], clicks: $clicks[$i], amount: $amounts[$i],
        currency: ($row.account_currency // $settings.currency)
      } | compact)
    };

def asked:
  (if $settings.level == "campaign" then [] elif $settings.level == "adset" then ["adset_id", "adset_name"]
   elif $settings.level == "ad" then ["adset_id", "adset_name", "ad_id", "ad_name"]
   else error("level is \($settings.level), and none of campaign, adset and ad") end) as $more
  | ["account_id", "account_currency", "campaign_id", "campaign_name"] + $more + ["impressions", "clicks", "inline_link_clicks", "spend"];
