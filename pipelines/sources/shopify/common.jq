# An order as it stood at updated_at: one snapshot, the same from whatever hook or answer it comes.

# What was paid back of an order, as decimals: its refunds' payments that went through.
def refunded: [.refunds[]?.transactions[]? | select(.kind == "refund" and .status == "success") | .amount] | dec_sum;

def amount_of:
  if $settings.amount == "net_payments" or .current_total_price == null then dec_sub(.total_price; refunded) else .current_total_price end;

def status_of: if .cancelled_at != null then "lost" else lookup("statuses"; .financial_status; "open") end;

# Times are to the second, and several snapshots may share one. Of these the one that is further on must stand: among events of one time
# the greatest id does, so behind the time the id says how far the order is.
def step_of:
  .financial_status as $financial
  | (["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided"] | index($financial) // 0) as $money
  | (if .cancelled_at != null then 1 else 0 end) as $over
  | "\($over)\($money)\(1000 + ([.refunds | length, 999] | min))";

def buyer:
  {
    email: [one_of(.email, .contact_email), .customer.email],
    # what an address says is asked last, and of the payer's alone: a parcel may go to somebody else
    phone: [one_of((.phone | phone), (.customer.phone | phone), (.billing_address | (.country_code // $workspace.country) as $c | .phone? | phone($c)))],
    shopify_customer: [.customer.id | text],
    anonymous_id: [.note_attributes[]? | select(.name == $settings.visitor_attribute) | .value | text]
  }
  | .email |= map(. // "" | ascii_downcase)
  | map_values(map(select(. != null and . != "")) | unique) | compact;

# Of a shop that reports no visits: the page where the buyer came in. Everything in it stays the same from hook to hook.
def landing:
  select($settings.tracked == false and (.landing_site | text) != null)
  | (.landing_site | if startswith("/") then "\($settings.shop_url)\(.)" else absolute_url end) as $url
  | select($url != null)
  | {
      id: "landing/\(.id | text)", type: "visit", time: (.created_at | local_time), identities: {deal: "\($source.name)/\(.id | text)"},
      visit: {url: $url, referrer: (.referring_site | text)}
    };

def order:
  select(.test != true) # an order that tries the shop out is no sale
  | status_of as $status
  | {
      type: "deal", time: (.updated_at | local_time), identities: buyer,
      deal: {
        id: (.id | text), title: .name, pipeline: (one_of(.source_name, "web")), stage: .financial_status, status: $status,
        amount: (amount_of | money), currency: .currency, created_at: (.created_at | local_time),
        reason: (if $status == "lost" then one_of(.cancel_reason, .financial_status) else "" end)
      }
    } as $deal
  # no contact goes into the id, not even hashed
  | ($deal + {id: "order/\(.id | text)/\(.updated_at | time_ms)/\(step_of)/\($deal.deal | stable_id)"}), landing;
