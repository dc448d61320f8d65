package reports

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/internal/clickhouse"
	"github.com/throughline-io/throughline/services/internal/embedded"
)

func TestMain(m *testing.M) {
	embedded.Main()
	os.Exit(m.Run())
}

// served is the API on a real ClickHouse with two workspaces' rows.
type served struct {
	*testing.T
	url    string
	root   driver.Conn
	insert func(string)
	bi     clickhouse.Config
	writer clickhouse.Config
}

func serve(t *testing.T) *served {
	t.Helper()
	embedded.TestEngines(t)
	cfg := embedded.Config{Data: t.TempDir(), Engines: embedded.EnginesDir(), ClickHouse: "127.0.0.1:0", ClickHouseHTTP: "127.0.0.1:0"}
	for _, u := range schema.Users("", "", nil) {
		cfg.Users = append(cfg.Users, embedded.User{Name: u.Name, Password: u.Password, Settings: u.Settings, Changeable: u.Changeable, Grants: u.Grants, Filters: u.Filters})
	}
	engine, err := embedded.StartClickHouse(t.Context(), cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Stop)
	admin := clickhouse.Config{Addr: []string{engine.Addr()}, Database: schema.Database, User: embedded.AdminUser, Password: engine.AdminPassword()}
	if err := clickhouse.Migrate(t.Context(), admin, schema.Migrations(), schema.Views()); err != nil {
		t.Fatal(err)
	}
	root, err := clickhouse.Open(admin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	insert := func(sql string) {
		t.Helper()
		if err := root.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	insert(schema.WorkspaceSettings([]schema.Settings{{Workspace: "shop", Timezone: "UTC", ChurnDays: 180}, {Workspace: "other", Timezone: "UTC", ChurnDays: 180}}))
	insert(`INSERT INTO throughline.channel_daily (workspace, date_basis, date, model, channel, source, medium, campaign, visits, spend, sales, revenue) VALUES
		('shop', 'sale', '2026-11-01', 'last_non_direct', 'Email', 'n', 'email', '=1+1', 4, 20, 1, 1200.50),
		('shop', 'sale', '2026-11-02', 'last_non_direct', 'Direct', '(direct)', '(none)', '(none)', 3, 0, 0, 0),
		('shop', 'sale', '2026-11-03', 'last_non_direct', 'Referral', 'x', 'referral', '(none)', 1, 0, 0, 0),
		('other', 'sale', '2026-11-01', 'last_non_direct', 'Email', 'n', 'email', 'x', 9, 9, 9, 9)`)
	asBI := clickhouse.Config{Addr: []string{engine.Addr()}, Database: schema.Database, User: schema.BI}
	bi, err := clickhouse.Open(asBI)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bi.Close() })
	list := []workspace.Workspace{
		{Name: "shop", Timezone: "UTC", Currency: "EUR", Country: "PL", Pepper: "p", Keys: []workspace.Key{{Name: "crm", Secret: "sk_shop"}, {Name: "bi", Report: "rk_shop"}}},
		{Name: "other", Timezone: "UTC", Currency: "EUR", Country: "PL", Pepper: "p", Keys: []workspace.Key{{Name: "bi", Report: "rk_other"}}},
	}
	if err := workspace.Validate(list); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	NewAPI(bi, list, prometheus.NewRegistry(), zap.NewNop()).Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	asWriter := asBI
	asWriter.User = schema.Writer
	return &served{t, server.URL, root, insert, asBI, asWriter}
}

func (s *served) get(path, key string, headers ...string) (*http.Response, string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		s.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res, string(b)
}

const november = "?from=2026-11-01&to=2026-11-30"

func TestAPI(t *testing.T) {
	s := serve(t)
	t.Run("refusals", func(t *testing.T) {
		for _, row := range []struct {
			path, key, accept string
			status            int
			code, field       string
		}{
			{"channel_roi" + november, "", "", 401, "unauthorized", ""},
			{"channel_roi" + november, "sk_shop", "", 401, "unauthorized", ""},
			{"channel_roi" + november, "rk_none", "", 401, "unauthorized", ""},
			{"channel_roi" + november + "&workspace=other", "rk_shop", "", 403, "forbidden", "workspace"},
			{"channel_roy" + november, "rk_shop", "", 404, "unknown_report", ""},
			{"channel_roi?to=2026-11-30", "rk_shop", "", 400, "bad_parameter", "from"},
			{"channel_roi?from=2026-11-31&to=2026-12-01", "rk_shop", "", 400, "bad_parameter", "from"},
			{"channel_roi?from=2026-11-02&to=2026-11-01", "rk_shop", "", 400, "bad_parameter", "to"},
			{"channel_roi" + november + "&model=best", "rk_shop", "", 400, "bad_parameter", "model"},
			{"channel_roi" + november + "&modl=linear", "rk_shop", "", 400, "bad_parameter", "modl"},
			{"channel_roi" + november + "&limit=0", "rk_shop", "", 400, "bad_parameter", "limit"},
			{"channel_roi" + november + "&limit=10001", "rk_shop", "", 400, "bad_parameter", "limit"},
			{"channel_roi" + november + "&offset=-1", "rk_shop", "", 400, "bad_parameter", "offset"},
			{"channel_daily_as_of?at=yesterday", "rk_shop", "", 400, "bad_parameter", "at"},
			{"channel_roi" + november, "rk_shop", "image/png", 406, "not_acceptable", ""},
		} {
			res, body := s.get("/api/v1/reports/"+row.path, row.key, "Accept", row.accept)
			var a struct {
				Error struct{ Code, Field, Message string }
			}
			if err := json.Unmarshal([]byte(body), &a); err != nil || res.StatusCode != row.status || a.Error.Code != row.code || a.Error.Field != row.field || a.Error.Message == "" {
				t.Errorf("%s: %d %v %s", row.path, res.StatusCode, err, body)
			}
		}
	})
	t.Run("JSON", func(t *testing.T) {
		res, body := s.get("/api/v1/reports/channel_daily"+november, "rk_shop")
		var a answer
		if err := json.Unmarshal([]byte(body), &a); err != nil || res.StatusCode != http.StatusOK || len(a.Rows) != 3 || a.Next != nil {
			t.Fatalf("%d %v %s", res.StatusCode, err, body)
		}
		if got := fmt.Sprint(a.Rows[0]); got != "[2026-11-01 Email n email =1+1 4 0 0 20 0 0 1 1200.5 0]" {
			t.Errorf("%s", got)
		}
		if a.Columns[12].Name != "revenue" || !strings.HasPrefix(a.Columns[12].Type, "Decimal") {
			t.Errorf("%+v", a.Columns)
		}
		if _, exact := a.Rows[0][12].(string); !exact {
			t.Errorf("money as %T", a.Rows[0][12])
		}
		if sql := res.Header.Get("X-Throughline-SQL"); !strings.Contains(sql, "workspace = 'shop'") || !strings.Contains(sql, "'2026-11-01'") || strings.Contains(sql, "{") {
			t.Errorf("SQL: %s", sql)
		}
	})
	t.Run("pages", func(t *testing.T) {
		var channels []string
		offset := 0
		for pages := 1; ; pages++ {
			_, body := s.get(fmt.Sprintf("/api/v1/reports/channel_daily%s&limit=2&offset=%d", november, offset), "rk_shop")
			var a answer
			if err := json.Unmarshal([]byte(body), &a); err != nil {
				t.Fatal(err)
			}
			for _, row := range a.Rows {
				channels = append(channels, row[1].(string))
			}
			if a.Next == nil {
				if pages != 2 {
					t.Errorf("%d pages", pages)
				}
				break
			}
			offset = *a.Next
		}
		if got := strings.Join(channels, ","); got != "Email,Direct,Referral" {
			t.Error(got)
		}
	})
	t.Run("CSV", func(t *testing.T) {
		res, body := s.get("/api/v1/reports/channel_daily"+november+"&limit=1", "rk_shop", "Accept", "text/csv")
		lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(lines) != 2 || lines[0][1] != "channel" || lines[1][4] != "'=1+1" || res.Header.Get("X-Next-Offset") != "1" {
			t.Errorf("%v %v %v", err, lines, res.Header)
		}
	})
	t.Run("a tag until something is posted", func(t *testing.T) {
		path := "/api/v1/reports/channel_roi" + november
		res, _ := s.get(path, "rk_shop")
		tag := res.Header.Get("ETag")
		if res, body := s.get(path, "rk_shop", "If-None-Match", tag); res.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("%d %s", res.StatusCode, body)
		}
		if res, _ := s.get(path+"&model=linear", "rk_shop", "If-None-Match", tag); res.StatusCode != http.StatusOK {
			t.Errorf("another question: %d", res.StatusCode)
		}
		s.insert(`INSERT INTO throughline.spend_log (workspace, sign, event_id, date, channel, amount) VALUES ('shop', 1, 's1', '2026-11-05', 'Print', 150)`)
		if res, _ := s.get(path, "rk_shop", "If-None-Match", tag); res.StatusCode != http.StatusOK || res.Header.Get("ETag") == tag {
			t.Errorf("after a posting: %d %s", res.StatusCode, res.Header.Get("ETag"))
		}
		res, _ = s.get(path, "rk_shop")
		tag = res.Header.Get("ETag")
		s.insert(schema.StageOrder([]schema.Stage{{Workspace: "shop", Pipeline: "sales", Name: "new", Place: 1}}))
		if res, _ := s.get(path, "rk_shop", "If-None-Match", tag); res.StatusCode != http.StatusOK {
			t.Errorf("after a change of the configuration: %d", res.StatusCode)
		}
	})
	t.Run("each key reads its workspace", func(t *testing.T) {
		if _, body := s.get("/api/v1/reports/channel_roi"+november, "rk_other"); !strings.Contains(body, `"Email","n","email","x",9`) || strings.Contains(body, "Direct") {
			t.Error(body)
		}
	})
	t.Run("people with many identifiers", func(t *testing.T) {
		s.insert(`INSERT INTO throughline.identities_log (workspace, sign, kind, node_id, person_id) SELECT 'shop', 1, 'email', generateUUIDv4(), toUUID('00000000-0000-0000-0000-00000000000a') FROM numbers(4)`)
		s.insert(`INSERT INTO throughline.identities_log (workspace, sign, kind, node_id, person_id) SELECT 'other', 1, 'email', generateUUIDv4(), toUUID('00000000-0000-0000-0000-00000000000b') FROM numbers(3)`)
		writer, err := clickhouse.Open(s.writer)
		if err != nil {
			t.Fatal(err)
		}
		defer writer.Close()
		large, err := LargePersons(t.Context(), writer, 3)
		if err != nil || len(large) != 1 || large[0] != (LargePerson{"shop", "00000000-0000-0000-0000-00000000000a", 4}) {
			t.Errorf("%v %+v", err, large)
		}
	})
	t.Run("an aggregate that is not the ledger's", func(t *testing.T) {
		s.insert(`INSERT INTO throughline.credits (workspace, model, conversion, conversion_id, channel, source, medium, campaign, conversions, revenue, touch_date, lead_date, sale_date, booked_date) VALUES
			('audited', 'linear', 'sale', 'd1', 'Email', 'n', 'email', 'x', 1, 100, '2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04')`)
		s.insert(`INSERT INTO throughline.channel_daily (workspace, date_basis, date, model, channel, source, medium, campaign, revenue) VALUES ('audited', 'sale', '2026-11-03', 'linear', 'Email', 'n', 'email', 'x', 0.01)`)
		writer, err := clickhouse.Open(s.writer)
		if err != nil {
			t.Fatal(err)
		}
		defer writer.Close()
		result, err := Audit{Workspace: "audited", Recompute: noFacts{}}.Run(t.Context(), writer)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(result.Checks, func(c Check) bool { return c.Name == "channel_daily against the ledger" })
		if c := result.Checks[i]; c.Compared != 5 || c.Differences != 1 || !strings.Contains(c.Rows[0], "sale | 2026-11-03 | linear | Email") || !strings.Contains(c.Rows[0], "stands [0 0 0 0 0 0 1000000 10001 0], recomputed [0 0 0 0 0 0 1000000 10000 0]") {
			t.Errorf("%+v", c)
		}
	})
	t.Run("the description", func(t *testing.T) { s.describes(t) })
}

// describes asks every report that the description has, with a value for every parameter that it requires.
func (s *served) describes(t *testing.T) {
	_, body := s.get("/api/v1/openapi.json", "")
	var d struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Parameters  []struct {
				Name, In string
				Required bool
				Schema   struct {
					Format  string
					Enum    []string
					Default any
				}
			}
			Responses map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil || d.OpenAPI != "3.1.0" || len(d.Paths) != len(Catalog)+1 {
		t.Fatalf("%v: %d paths of %s", err, len(d.Paths), d.OpenAPI)
	}
	samples := map[string]string{"date": "2026-11-01", "date-time": "2026-11-01T10:00:00Z"}
	for path, operations := range d.Paths {
		get := operations["get"]
		query := []string{}
		for _, p := range get.Parameters {
			if p.In != "query" {
				t.Errorf("%s: %s in %s", path, p.Name, p.In)
			}
			if p.Required {
				query = append(query, p.Name+"="+samples[p.Schema.Format])
			}
			for _, v := range p.Schema.Enum { // each value that is described is taken
				if res, body := s.get(path+november+"&"+p.Name+"="+v, "rk_shop"); p.Name == "model" && strings.Contains(path, "channel_roi") && res.StatusCode != http.StatusOK {
					t.Errorf("%s %s=%s: %s", path, p.Name, v, body)
				}
			}
		}
		res, body := s.get(path+"?"+strings.Join(query, "&"), "rk_shop")
		if res.StatusCode != http.StatusOK || get.OperationID == "" || get.Responses["200"] == nil {
			t.Errorf("%s?%s: %d %s", path, strings.Join(query, "&"), res.StatusCode, body)
		}
	}
}
