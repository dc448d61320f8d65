package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// User is a user of the embedded ClickHouse. This build keeps users in a file alone: rights and row filters stand there
// too.
type User struct {
	Name     string
	Password string // empty: none is asked for
	Admin    bool
	// Settings of the user's profile, by name; a readonly user cannot change them.
	Settings map[string]string
	// Changeable are settings that even a readonly user may set, between two values.
	Changeable map[string][2]string
	// Grants are GRANT statements without TO.
	Grants []string
	// Filters are row filters: database.table → expression.
	Filters map[string]string
}

// PasswordHash is the form that the users file has it in.
func (u User) PasswordHash() string {
	sum := sha256.Sum256([]byte(u.Password))
	return hex.EncodeToString(sum[:])
}

var clickHouseTemplate = template.Must(template.New("config").Funcs(template.FuncMap{"x": escape}).Parse(`<clickhouse>
  <path>{{x .Dir}}/</path>
  <tmp_path>{{x .Dir}}/tmp/</tmp_path>
  <user_files_path>{{x .Dir}}/user_files/</user_files_path>
  <format_schema_path>{{x .Dir}}/format_schemas/</format_schema_path>
  <users_config>{{x .Dir}}/users.xml</users_config>
  <listen_host>{{x .Host}}</listen_host>
  <tcp_port>{{x .TCP}}</tcp_port>
  <http_port>{{x .HTTP}}</http_port>
  <logger>
    <level>warning</level>
    <log>{{x .Logs}}/clickhouse.log</log>
    <errorlog>{{x .Logs}}/clickhouse.err.log</errorlog>
    <size>20M</size>
    <count>3</count>
  </logger>
  <!-- A small machine: what a server of its own would take is bounded here. -->
  <max_server_memory_usage>4294967296</max_server_memory_usage>
  <mark_cache_size>268435456</mark_cache_size>
  <index_mark_cache_size>67108864</index_mark_cache_size>
  <max_concurrent_queries>200</max_concurrent_queries>
  <!-- Who is still connected when we end is of our own house: there is nobody to wait for. -->
  <shutdown_wait_unfinished>1</shutdown_wait_unfinished>
  <background_pool_size>2</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    <merge_selector_base>10</merge_selector_base>
    <parts_to_delay_insert>3000</parts_to_delay_insert>
    <parts_to_throw_insert>6000</parts_to_throw_insert>
  </merge_tree>
</clickhouse>
`))

var usersTemplate = template.Must(template.New("users").Funcs(template.FuncMap{"x": escape, "split": splitTable}).Parse(`<clickhouse>
  <profiles>
    <default/>{{range .}}
    <{{.Name}}>{{range $name, $value := .Settings}}
      <{{$name}}>{{x $value}}</{{$name}}>{{end}}{{if .Changeable}}
      <constraints>{{range $name, $bounds := .Changeable}}
        <{{$name}}><min>{{x (index $bounds 0)}}</min><max>{{x (index $bounds 1)}}</max><changeable_in_readonly/></{{$name}}>{{end}}
      </constraints>{{end}}
    </{{.Name}}>{{end}}
  </profiles>
  <quotas><default/></quotas>
  <users>
    <!-- The engine's own session, which makes it listen: it may do that and nothing else. -->
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT FILE ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
      </grants>
    </default>{{range .}}
    <{{.Name}}>{{if .Password}}
      <password_sha256_hex>{{.PasswordHash}}</password_sha256_hex>{{else}}
      <password></password>{{end}}
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>{{.Name}}</profile>
      <quota>default</quota>{{if .Admin}}
      <access_management>1</access_management>{{else}}
      <grants>{{range .Grants}}
        <query>{{x .}}</query>{{end}}
      </grants>{{end}}{{if .Filters}}
      <databases>{{range $table, $filter := .Filters}}{{$t := split $table}}
        <{{index $t 0}}><{{index $t 1}}><filter>{{x $filter}}</filter></{{index $t 1}}></{{index $t 0}}>{{end}}
      </databases>{{end}}
    </{{.Name}}>{{end}}
  </users>
</clickhouse>
`))

func escape(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

func splitTable(s string) []string { return strings.SplitN(s, ".", 2) }

// writeClickHouseConfig writes the engine's files and returns the path of the first.
func writeClickHouseConfig(dir, logs, addr, httpAddr string, users []User) (string, error) {
	host, tcp, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	_, httpPort, err := net.SplitHostPort(httpAddr)
	if err != nil {
		return "", err
	}
	config := filepath.Join(dir, "config.xml")
	if err := writeTemplate(config, clickHouseTemplate, map[string]string{"Dir": dir, "Logs": logs, "Host": host, "TCP": tcp, "HTTP": httpPort}); err != nil {
		return "", err
	}
	return config, writeTemplate(filepath.Join(dir, "users.xml"), usersTemplate, users)
}

// writeTemplate writes a file that only we may read: it may hold hashes of passwords.
func writeTemplate(path string, t *template.Template, value any) error {
	var b strings.Builder
	if err := t.Execute(&b, value); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
