# orders/delete holds nothing but the number; Shopify says in a header when it happened. The topic is a header too, and not signed, so
# that what a body is is told by the body.
if .created_at == null and .updated_at == null and $request.headers["x-shopify-topic"] == "orders/delete" then
  {
    id: "deleted/\(.id | text)", type: "deal", time: ($request.headers["x-shopify-triggered-at"] // $received),
    deal: {id: (.id | text), deleted: true}
  }
else
  select(.updated_at != null and .financial_status != null) | order
end
