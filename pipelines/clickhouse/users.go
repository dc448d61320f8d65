package schema

import (
	"crypto/sha1" // the form of the MySQL protocol
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Names of users.
const (
	Writer = "throughline_writer"
	BI     = "throughline_bi"
)

// User is a user with what it may do, in a form that both a users file and SQL can be made of.
type User struct {
	Name, Password string
	Settings       map[string]string
	// Changeable are settings that even a read-only user may set, between two values.
	Changeable map[string][2]string
	Grants     []string // GRANT statements without TO
	// Filters are row filters: database.table → expression.
	Filters map[string]string
}

// readable is what BI users may read; what is not here (raw events, identities) they may not.
var readable = []string{
	"credits", "channel_daily", "channel_roi", "channel_daily_as_of", "ledger_changes", "funnel",
	"touches", "inquiries", "deals", "deal_stages", "calls", "spend",
	"calls_hourly", "managers_daily", "reasons", "pipeline_speed", "customers", "repeat_daily", "cohorts", "sources_health", "compare",
	"events_hourly", "rejected_hourly", "workspace_settings", "conversations",
	// A view reads with the rights and the row filters of whoever asks, so what is behind it must be readable too.
	"touches_log", "inquiries_log", "deals_log", "deal_stages_log", "calls_log", "spend_log", "stage_order",
	"conversations_log", "deal_steps_log", "channel_monthly", "funnel_sums", "managers_sums", "reasons_sums", "speed_sums", "sales_by_person", "touch_months",
}

// filtered are the tables that hold rows, all by workspace.
var filtered = []string{
	"credits", "channel_daily", "touches_log", "inquiries_log", "deals_log", "deal_stages_log", "calls_log", "spend_log", "stage_order",
	"events_hourly", "rejected_hourly", "workspace_settings",
	"conversations_log", "deal_steps_log", "channel_monthly", "funnel_sums", "managers_sums", "reasons_sums", "speed_sums", "sales_by_person", "touch_months",
}

// Limits of a BI user's query.
const (
	biMemory  = 2 << 30 // bytes
	biSeconds = 60
	// biMaxSeconds is what a client may ask for instead: drivers send the deadline of their own query as a setting.
	biMaxSeconds = 300
	biRows       = 1_000_000
)

// Users are the loader, the reader of everything and one reader for each workspace that has a password.
func Users(writerPassword, biPassword string, workspaces map[string]string) []User {
	users := []User{
		{Name: Writer, Password: writerPassword, Grants: []string{"GRANT SELECT, INSERT ON " + Database + ".*"}},
		reader(BI, biPassword, nil),
	}
	for name, password := range workspaces {
		filters := map[string]string{}
		for _, table := range filtered {
			filters[Database+"."+table] = "workspace = " + quote(name)
		}
		users = append(users, reader("bi_"+name, password, filters))
	}
	return users
}

func reader(name, password string, filters map[string]string) User {
	u := User{Name: name, Password: password, Filters: filters, Settings: map[string]string{
		"readonly": "1", "max_memory_usage": fmt.Sprint(biMemory), "max_execution_time": fmt.Sprint(biSeconds),
		"max_result_rows": fmt.Sprint(biRows), "result_overflow_mode": "throw",
	}, Changeable: map[string][2]string{"max_execution_time": {"1", fmt.Sprint(biMaxSeconds)}}}
	for _, table := range readable {
		u.Grants = append(u.Grants, "GRANT SELECT ON "+Database+"."+table)
	}
	return u
}

// SQL makes the user, or makes it anew, in a ClickHouse that keeps users itself.
func (u User) SQL() []string {
	identified := "IDENTIFIED WITH no_password"
	if u.Password != "" {
		sum := sha256.Sum256([]byte(u.Password))
		identified = "IDENTIFIED WITH sha256_hash BY '" + hex.EncodeToString(sum[:]) + "'"
		if u.Name != Writer { // clients of the MySQL protocol know no other
			once := sha1.Sum([]byte(u.Password))
			twice := sha1.Sum(once[:])
			identified += ", double_sha1_hash BY '" + hex.EncodeToString(twice[:]) + "'"
		}
	}
	create := "CREATE USER OR REPLACE `" + u.Name + "` " + identified
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(u.Settings)) {
		setting := name + " = '" + u.Settings[name] + "'"
		if bounds, ok := u.Changeable[name]; ok {
			setting += " MIN '" + bounds[0] + "' MAX '" + bounds[1] + "' CHANGEABLE_IN_READONLY"
		}
		settings = append(settings, setting)
	}
	if len(settings) > 0 {
		create += " SETTINGS " + strings.Join(settings, ", ")
	}
	out := []string{create}
	for _, g := range u.Grants {
		out = append(out, g+" TO `"+u.Name+"`")
	}
	for _, table := range slices.Sorted(maps.Keys(u.Filters)) {
		out = append(out, "CREATE ROW POLICY OR REPLACE `"+u.Name+"` ON "+table+" FOR SELECT USING "+u.Filters[table]+" TO `"+u.Name+"`")
	}
	return out
}
