package reports

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ChannelROI is the channel_roi report summed by channel: what each one cost and brought.
type ChannelROI struct {
	Workspace string
	From, To  string // dates, YYYY-MM-DD, both included
	Model     string
	DateBasis string // touch, lead, sale or booked
}

// ROIRow is one channel's. A nil ratio has nothing to divide by.
type ROIRow struct {
	Channel   string   `json:"channel"`
	Visits    int64    `json:"visits"`
	Spend     float64  `json:"spend"`
	Inquiries float64  `json:"inquiries"`
	Deals     float64  `json:"deals"`
	Sales     float64  `json:"sales"`
	Revenue   float64  `json:"revenue"`
	ROMI      *float64 `json:"romi"`
}

// SQL is the statement and its arguments.
func (r ChannelROI) SQL() (string, []any) {
	return `SELECT channel, sum(visits) AS all_visits, toFloat64(sum(spend)) AS all_spend, toFloat64(sum(inquiries)), toFloat64(sum(deals)),
    toFloat64(sum(sales)), toFloat64(sum(revenue)) AS all_revenue,
    if(all_spend = 0, NULL, (all_revenue - toFloat64(sum(cost_of_goods)) - all_spend) / all_spend)
FROM throughline.channel_roi(workspace = {workspace:String}, from = {from:String}, to = {to:String}, model = {model:String}, date_basis = {basis:String})
GROUP BY channel ORDER BY all_revenue DESC, all_spend DESC, channel`, []any{
			clickhouse.Named("workspace", r.Workspace), clickhouse.Named("from", r.From), clickhouse.Named("to", r.To),
			clickhouse.Named("model", r.Model), clickhouse.Named("basis", r.DateBasis),
		}
}

// Rows runs it.
func (r ChannelROI) Rows(ctx context.Context, db DB) ([]ROIRow, error) {
	query, args := r.SQL()
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("channel_roi: %w", err)
	}
	defer rows.Close()
	var out []ROIRow
	for rows.Next() {
		var o ROIRow
		if err := rows.Scan(&o.Channel, &o.Visits, &o.Spend, &o.Inquiries, &o.Deals, &o.Sales, &o.Revenue, &o.ROMI); err != nil {
			return nil, fmt.Errorf("channel_roi: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}
