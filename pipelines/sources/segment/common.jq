# What one message means. The context of a batch stands around its messages, and that of a message wins.
def context: ($envelope.context // {}) * (.context // {});

# When it happened. Segment's own receivedAt is part of the message, and so the sum is the same whenever it comes. Where we are the ones
# who receive, the sender's clock is corrected only if it is plainly wrong.
def time_of:
  one_of(.sentAt, $envelope.sentAt) as $sent
  | one_of(.originalTimestamp, .timestamp) as $original
  | one_of(.receivedAt, $received) as $arrived
  | if .receivedAt != null and .originalTimestamp == null then one_of(.timestamp, .receivedAt) | local_time("UTC")
    elif $original == null then $arrived | local_time("UTC")
    elif $sent == null then $original | local_time("UTC")
    else
      (($arrived | time_ms) - ($sent | time_ms)) as $late
      | ($original | time_ms) + (if .receivedAt == null and ($late | fabs) <= 1000 * $settings.clock_tolerance then 0 else $late end)
      | unix_ms
    end;

# The traits stand in three places, by the kind of message.
def identities:
  context as $c
  | ($c.traits // {}) * (.properties // {}) * (.traits // {}) as $traits
  | {anonymous_id: (.anonymousId | text), user_id: (.userId | text)}
    + ($tables.traits | with_entries(.value as $name | .value = ($traits[$name] | if type == "object" or type == "array" then null else text end)))
  | with_entries(select(.value != null));

def host: if . == null then null else capture("^[A-Za-z][A-Za-z0-9+.-]*://(?<h>[^/?#:]+)") // {h: null} | .h // "" | ascii_downcase | ltrimstr("www.") end;

def campaign: {source, medium, campaign: .name, content, term} | with_entries(select(.value | text != null));

# A page is a visit if somebody came by it: with a campaign or a click id, or from another host. A library that counts sessions says so
# itself.
def visit($id; $time):
  context as $c
  | one_of(.properties.url, $c.page.url) as $url
  | one_of(.properties.referrer, $c.page.referrer) as $referrer
  | ($c.campaign // {} | campaign) as $utm
  | select($url != null)
  | select(
      if $c.sessionId != null then $c.sessionStart == true
      else
        $utm != {} or ($url | utm) != null or ($url | click_ids) != null
        or (if $referrer == null then $settings.direct_visits else ($referrer | host) as $h | [($url | host), $settings.own_hosts[]] | all(. != $h) end)
      end
    )
  | {
      id: $id, type: "visit", time: $time, identities: identities,
      visit: ({url: $url, referrer: $referrer, title: one_of(.properties.title, $c.page.title)} + if $utm == {} then {} else {utm: $utm} end)
    };

# Money that is paid back in part is told by how much, and a deal by what it is worth: the one does not follow from the other.
def deal($id; $time; $means):
  .event as $name
  | (.properties // {}) as $p
  | if $means.whole == true and ($p.products // [] | length) > 0 then
      error("\($name) with products pays back a part: send Order Updated with what the order is now worth")
    else . end
  | ($p[$means.id // "order_id"] | text) as $order
  | if $order == null then error("\($name) has no \($means.id // "order_id")") else . end
  | {
      id: $id, type: "deal", time: $time, identities: identities,
      deal: (
        {
          id: $order, status: $means.status, stage: $means.stage, pipeline: $means.pipeline,
          amount: (first($p[$means.amount // ["revenue", "total", "value"] | if type == "array" then .[] else . end] | select(. != null)) // null | money),
          cost_of_goods: ($p[$means.cost_of_goods // "cost_of_goods"] | money), currency: ($p[$means.currency // "currency"] | text)
        }
        | with_entries(select(.value != null))
      )
    };

def track($id; $time; $web):
  lookup("events"; .event) as $means
  | if $means == null then empty
    elif $means.makes == "deal" then
      if $web and $settings.web_deals != true then error("an order from a browser: the write key is public there; send \(.event) from the server, or set web_deals")
      else deal($id; $time; $means) end
    else
      context as $c
      | {
          id: $id, type: "form", time: $time, identities: identities,
          form: {form_id: (one_of(.properties.form_id, .properties.formId, .properties.form_name, .event) | text), url: one_of(.properties.url, $c.page.url)}
        }
    end;

def message($type; $web):
  # without a messageId the content is the id, but for what a second sending changes and for what people are known by
  (one_of(.messageId, (del(.sentAt, .writeKey, .context, .traits, .properties.email, .properties.phone) | stable_id)) | text) as $id
  | time_of as $time
  | if $type == "page" then visit($id; $time)
    elif $type == "track" then track($id; $time; $web)
    elif $type == "identify" then identities as $who | select($who != {}) | {id: $id, type: "identify", time: $time, identities: $who}
    elif $type == "alias" then
      [.userId, .previousId | text | select(. != null)] as $both
      # the old id may have been a visitor's or a user's
      | select($both | length == 2) | {id: $id, type: "identify", time: $time, identities: {user_id: $both, anonymous_id: $both[1]}}
    else empty end;
