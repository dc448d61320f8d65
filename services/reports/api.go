package reports

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/internal/httpserver"
)

// queryTimeout bounds a report.
const queryTimeout = 60 * time.Second

// API answers reports over HTTP, each key for its workspace alone. It asks as a BI user, within that user's limits, and keeps nothing.
type API struct {
	db       DB
	keys     *workspace.Keys
	log      *zap.Logger
	answered *prometheus.CounterVec
	seconds  prometheus.Histogram
}

// NewAPI makes an API of validated workspaces on a BI user's connection.
func NewAPI(db DB, workspaces []workspace.Workspace, reg prometheus.Registerer, log *zap.Logger) *API {
	a := &API{
		db: db, keys: workspace.NewKeys(workspaces), log: log,
		answered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "throughline", Subsystem: "reports", Name: "answers_total", Help: "Reports by name and HTTP status.",
		}, []string{"report", "status"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "reports", Name: "seconds", Help: "How long reports took.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
	}
	reg.MustRegister(a.answered, a.seconds)
	return a
}

// Register adds the API's paths.
func (a *API) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/openapi.json", a.describe)
	mux.HandleFunc("GET /api/v1/reports", a.list)
	mux.HandleFunc("GET /api/v1/reports/{name}", a.report)
}

// answer is the JSON form of a report. Decimals are strings, as money always is.
type answer struct {
	Report  string   `json:"report"`
	Columns []column `json:"columns"`
	Rows    [][]any  `json:"rows"`
	// Next is the offset of the next page; absent on the last one.
	Next *int `json:"next_offset,omitempty"`
}

type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func (a *API) report(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	name := r.PathValue("name")
	status := a.serve(w, r, name)
	if _, known := reportNamed(name); !known {
		name = "unknown" // whatever is asked for does not become a series
	}
	a.answered.WithLabelValues(name, strconv.Itoa(status)).Inc()
	a.seconds.Observe(time.Since(began).Seconds())
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, name string) int {
	key, ok := a.authenticate(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="throughline"`)
		return refuse(w, http.StatusUnauthorized, "unauthorized", "", "send Authorization: Bearer with a report key of the workspace")
	}
	if asked := r.URL.Query().Get("workspace"); asked != "" && asked != key.Workspace.Name {
		return refuse(w, http.StatusForbidden, "forbidden", "workspace", "this key reads another workspace")
	}
	report, ok := reportNamed(name)
	if !ok {
		return refuse(w, http.StatusNotFound, "unknown_report", "", "there is no such report: GET /api/v1/reports lists them")
	}
	asCSV, ok := format(r)
	if !ok {
		return refuse(w, http.StatusNotAcceptable, "not_acceptable", "", "reports are application/json or text/csv")
	}
	q, err := NewQuery(report, key.Workspace.Name, r.URL.Query())
	var bad *paramError
	if errors.As(err, &bad) {
		return refuse(w, http.StatusBadRequest, "bad_parameter", bad.field, bad.message)
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	w.Header().Set("Vary", "Accept, Authorization")
	w.Header().Set("X-Throughline-SQL", q.Shown())
	if report.moving {
		w.Header().Set("Cache-Control", "no-store")
	} else {
		tag, err := a.tag(ctx, q, asCSV)
		if err != nil {
			return a.failed(w, name, err)
		}
		w.Header().Set("Cache-Control", "private, no-cache")
		w.Header().Set("ETag", tag)
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return http.StatusNotModified
		}
	}
	out, err := a.run(ctx, q)
	if err != nil {
		return a.failed(w, name, err)
	}
	if asCSV {
		writeCSV(w, out)
	} else {
		httpserver.WriteJSON(w, http.StatusOK, out)
	}
	return http.StatusOK
}

func (a *API) authenticate(r *http.Request) (workspace.FoundKey, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return workspace.FoundKey{}, false
	}
	key, ok := a.keys.Find(strings.TrimSpace(token))
	return key, ok && key.Report
}

// format is what the client takes; JSON where it does not say.
func format(r *http.Request) (asCSV, ok bool) {
	accept := r.Header.Get("Accept")
	if accept == "" {
		return false, true
	}
	for _, part := range strings.Split(accept, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch kind {
		case "text/csv":
			return true, true
		case "application/json", "application/*", "*/*":
			return false, true
		}
	}
	return false, false
}

// tag names what an answer depends on: the question, how far the ledger and the rows beside it have come, which only grow, and what the
// configuration and the views say.
func (a *API) tag(ctx context.Context, q Query, asCSV bool) (string, error) {
	var rows, settings, stages, views uint64
	if err := a.db.QueryRow(ctx, `SELECT
			ifNull(sumIf(total_rows, name IN ('credits', 'touches_log', 'spend_log', 'inquiries_log', 'deals_log', 'deal_stages_log', 'calls_log', 'conversations_log', 'deal_steps_log')), 0),
			(SELECT sum(cityHash64(*)) FROM throughline.workspace_settings), (SELECT sum(cityHash64(*)) FROM throughline.stage_order),
			sumIf(cityHash64(create_table_query), engine = 'View')
		FROM system.tables WHERE database = 'throughline'`).Scan(&rows, &settings, &stages, &views); err != nil {
		return "", fmt.Errorf("the ledger's position: %w", err)
	}
	sum := sha256.Sum256([]byte(fmt.Sprint(q.Shown(), asCSV, rows, settings, stages, views)))
	return `"` + hex.EncodeToString(sum[:12]) + `"`, nil
}

func (a *API) run(ctx context.Context, q Query) (*answer, error) {
	text, values := q.SQL()
	var args []any
	for name, v := range values {
		args = append(args, clickhouse.Named(name, v))
	}
	rows, err := a.db.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := &answer{Report: q.Report.Name, Rows: [][]any{}}
	types := rows.ColumnTypes()
	for _, t := range types {
		out.Columns = append(out.Columns, column{t.Name(), t.DatabaseTypeName()})
	}
	for rows.Next() {
		row, err := scan(rows, types)
		if err != nil {
			return nil, err
		}
		if len(out.Rows) == q.Limit {
			next := q.Offset + q.Limit
			out.Next = &next
			break
		}
		out.Rows = append(out.Rows, row)
	}
	return out, rows.Err()
}

func scan(rows driver.Rows, types []driver.ColumnType) ([]any, error) {
	targets := make([]any, len(types))
	for i, t := range types {
		targets[i] = reflect.New(t.ScanType()).Interface()
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, err
	}
	row := make([]any, len(types))
	for i, target := range targets {
		row[i] = plain(reflect.ValueOf(target).Elem(), types[i].DatabaseTypeName())
	}
	return row, nil
}

// plain is a value as JSON and CSV have it.
func plain(v reflect.Value, kind string) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		if strings.Contains(kind, "Date)") || kind == "Date" || strings.HasPrefix(kind, "Date32") {
			return x.Format(time.DateOnly)
		}
		return x.UTC().Format("2006-01-02T15:04:05.000Z")
	case fmt.Stringer: // decimals and ids
		return x.String()
	default:
		return x
	}
}

// failed answers for what ClickHouse could not do; a limit is the asker's to keep, and says which.
func (a *API) failed(w http.ResponseWriter, name string, err error) int {
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		for code, limit := range map[int32]string{158: "rows", 159: "time", 241: "memory", 307: "bytes", 396: "rows"} {
			if e.Code == code {
				return refuse(w, http.StatusUnprocessableEntity, "too_much", "", "the report needs more than a reader's limit of "+limit+": ask for fewer days")
			}
		}
	}
	a.log.Error("a report failed", zap.String("report", name), zap.Error(err))
	w.Header().Set("Retry-After", "1")
	return refuse(w, http.StatusServiceUnavailable, "unavailable", "", "ClickHouse did not answer: ask again after a pause")
}

func refuse(w http.ResponseWriter, status int, code, field, message string) int {
	type body struct {
		Code    string `json:"code"`
		Field   string `json:"field,omitempty"`
		Message string `json:"message"`
	}
	w.Header().Del("ETag")
	httpserver.WriteJSON(w, status, map[string]body{"error": {code, field, message}})
	return status
}

func writeCSV(w http.ResponseWriter, out *answer) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if out.Next != nil {
		w.Header().Set("X-Next-Offset", strconv.Itoa(*out.Next))
	}
	c := csv.NewWriter(w)
	var line []string
	for _, col := range out.Columns {
		line = append(line, col.Name)
	}
	_ = c.Write(line) // who has gone needs no answer
	for _, row := range out.Rows {
		line = line[:0]
		for _, v := range row {
			text := ""
			if v != nil {
				text = fmt.Sprint(v)
			}
			// A spreadsheet runs what begins like a formula, and a campaign's name is anybody's.
			if text != "" && strings.ContainsRune("=+@", rune(text[0])) {
				text = "'" + text
			}
			line = append(line, text)
		}
		_ = c.Write(line)
	}
	c.Flush()
}
