package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

const example = "../../deploy/config/throughline.yaml"

func TestTheExampleLoads(t *testing.T) {
	t.Setenv("THROUGHLINE_PEPPER", "long and random: #{}")
	c, err := LoadConfig(example)
	if err != nil {
		t.Fatal(err)
	}
	w := c.Workspaces[0]
	if w.Pepper != "long and random: #{}" || w.Lookback != 2160*time.Hour || w.FX["USD"] != "0.92" || c.Kafka.Partitions != 12 {
		t.Errorf("read as %+v", c)
	}
	if got := settings(); c.HTTP != got.HTTP || c.Embedded != got.Embedded || c.Log != got.Log || c.Data != got.Data {
		t.Error("the example does not show the defaults")
	}
}

// A key that the example lacks is a key that nobody finds.
func TestTheExampleIsComplete(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	var collect func(n *yaml.Node)
	collect = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				written[c.Value] = true
			}
			collect(c)
		}
	}
	collect(&document)
	n := 0
	var check func(typ reflect.Type)
	check = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			check(typ.Elem())
		case reflect.Struct:
			known := map[string]reflect.Type{}
			yamlKeys(typ, known)
			for key, field := range known {
				if n++; !written[key] && !reflect.PointerTo(typ).Implements(unmarshaler) {
					t.Errorf("%s of %s is not in the example", key, typ)
				}
				check(field)
			}
		default: // a value has no keys
		}
	}
	check(reflect.TypeFor[Config]())
	if n < 50 {
		t.Errorf("only %d keys checked", n)
	}
}

func TestNoFileGivesTheDefault(t *testing.T) {
	t.Setenv(configVariable, "")
	c, err := LoadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Workspaces[0].Name != "default" || c.Workspaces[0].Keys[0].Secret != "sk_demo" {
		t.Errorf("workspaces: %+v", c.Workspaces)
	}
	if c.collectorAddr() != c.HTTP || c.reportsAddr() != c.HTTP || c.loaderAddr() != anyPort || c.stitcherAddr() != anyPort {
		t.Error("addresses of the services")
	}
}

func TestTheVariableNamesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(file, []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(configVariable, file)
	c, err := LoadConfig("")
	if err != nil || c.Workspaces[0].Name != "a" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := LoadConfig(file + ".missing"); err == nil || !strings.Contains(err.Error(), "x.yaml.missing") {
		t.Errorf("a missing file: %v", err)
	}
}

const minimal = `
workspaces:
  - {name: a, timezone: UTC, currency: EUR, country: PL, pepper: p}
`

func parse(text string, environment map[string]string) (*Config, error) {
	return parseConfig([]byte(text), func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	})
}

func TestFaults(t *testing.T) {
	rows := []struct{ name, text, want string }{
		{"empty", "", "the file is empty"},
		{"no yaml", "a: [", "yaml:"},
		{"two documents", minimal + "---\nhttp: x", "more than one document"},
		{"unknown key", minimal + "htpp: 127.0.0.1:1", "htpp: unknown key (line 4)"},
		{"unknown key below", minimal + "kafka: {broker: []}", "kafka.broker: unknown key"},
		{"unknown key of a workspace", strings.Replace(minimal, "name: a", "name: a, time_zone: x", 1), "workspaces[0].time_zone: unknown key (line 3)"},
		{"unknown key of a static number", strings.Replace(minimal, "name: a", `name: a, static_numbers: {"+48221112233": {source: a, sorce: b}}`, 1), "workspaces[0].static_numbers.+48221112233.sorce: unknown key"},
		{"unknown key of a channel rule", strings.Replace(minimal, "name: a", "name: a, channels: [{name: x, mediun: y, medium: z}]", 1), "workspaces[0].channels[0].mediun: unknown key"},
		{"unknown part of a condition", strings.Replace(minimal, "name: a", "name: a, channels: [{name: x, medium: {is: z}}]", 1), `"is" is no part of a condition`},
		{"key twice", minimal + "http: a:1\nhttp: b:2", `"http" already defined`},
		{"wrong type", minimal + "kafka: {partitions: many}", "line 4: cannot unmarshal"},
		{"variable that is not set", minimal + "data: ${NOWHERE}", "line 4: the environment variable NOWHERE is not set"},
		{"variable without a name", minimal + "data: ${}", `"" is no variable's name`},
		{"http", minimal + "http: localhost", `http: "localhost" is not host:port`},
		{"a service's address", minimal + "listen: {loader: x}", `listen.loader: "x" is not host:port`},
		{"data", minimal + `data: ""`, "data:"},
		{"public url", minimal + `public_url: in.shop.example`, `public_url: "in.shop.example" is no address`},
		{"sources", minimal + `sources: /no/such/folder`, `sources: "/no/such/folder" is no folder`},
		{"a source of a workspace", strings.Replace(minimal, "name: a", "name: a, sources: [{name: nobody, key: key-of-an-address}]", 1), `workspaces[0].sources[0].source: "nobody" is no source`},
		{"unknown key of a source", strings.Replace(minimal, "name: a", "name: a, sources: [{name: telegram, kye: key-of-an-address}]", 1), `workspaces[0].sources[0].kye: unknown key`},
		{"broker", minimal + "kafka: {brokers: [a:1, b]}", `kafka.brokers[1]: "b" is not host:port`},
		{"topic prefix", minimal + "kafka: {topic_prefix: a/b}", `kafka.topic_prefix: "a/b"`},
		{"partitions", minimal + "kafka: {partitions: 0}", "kafka.partitions: 0 is not between 1 and 1024"},
		{"clickhouse address", minimal + "clickhouse: {addr: [b]}", `clickhouse.addr[0]: "b" is not host:port`},
		{"embedded engine outside", minimal + "embedded: {kafka: 0.0.0.0:9092}", `embedded.kafka: "0.0.0.0:9092" is not on the loopback`},
		{"embedded engine on all", minimal + "embedded: {kafka: \":9092\"}", `embedded.kafka: ":9092" is not on the loopback`},
		{"embedded engines on one port", minimal + "embedded: {clickhouse: 127.0.0.1:9092}", `embedded.clickhouse: "127.0.0.1:9092" has the port of embedded.kafka`},
		{"log", minimal + "log: {level: loud}", `log.level: "loud"`},
		{"no workspace", "http: 127.0.0.1:1", "workspaces: there is none"},
		{"fault of a workspace", strings.Replace(minimal, "timezone: UTC", "timezone: X/Y", 1), `workspaces[0].timezone: "X/Y" is unknown`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c, err := parse(row.text, nil)
			if err == nil || c != nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	_, err := parse(`
htpp: x
data: ${NOWHERE}
kafka: {partitions: many, brokers: [x]}
workspaces:
  - {name: "A!", timezone: UTC, currency: EUR, country: PL, pepper: p, fx: {USD: abc}}
`, nil)
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{"htpp", "NOWHERE", "line 4: cannot unmarshal !!str `many`", "kafka.brokers[0]", `workspaces[0].name: "A!"`, `workspaces[0].fx.USD: "abc" is not a decimal`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in:\n%v", want, err)
		}
	}
}

func TestVariables(t *testing.T) {
	environment := map[string]string{
		"N": "24", "S": "secret", "HOST": "k1", "EMPTY": "", "TILDE": "~", "YES": "true", "EVIL": "x\nhttp: 0.0.0.0:1", "NUMBER": "007",
	}
	with := func(pepper string) string {
		return "workspaces: [{name: a, timezone: UTC, currency: EUR, country: PL, pepper: " + pepper + "}]\n"
	}
	rows := []struct {
		name, text string
		got        func(c *Config) any
		want       any
	}{
		{"a number", with("p") + "kafka: {partitions: ${N}}", func(c *Config) any { return c.Kafka.Partitions }, 24},
		{"a truth value", "workspaces: [{name: a, timezone: UTC, currency: EUR, country: PL, pepper: p, store_contacts: ${YES}}]", func(c *Config) any { return c.Workspaces[0].StoreContacts }, true},
		{"a text", with("${S}"), func(c *Config) any { return c.Workspaces[0].Pepper }, "secret"},
		{"a text that looks like a number", with("${NUMBER}"), func(c *Config) any { return c.Workspaces[0].Pepper }, "007"},
		{"a text that YAML would read as null", with("${TILDE}"), func(c *Config) any { return c.Workspaces[0].Pepper }, "~"},
		{"within a text", with("p") + `kafka: {brokers: ["${HOST}:9092"]}`, func(c *Config) any { return c.Kafka.Brokers[0] }, "k1:9092"},
		{"twice", with("${S}-${S}"), func(c *Config) any { return c.Workspaces[0].Pepper }, "secret-secret"},
		{"a number in quotes", with("p") + `kafka: {partitions: "${N}"}`, func(c *Config) any { return c.Kafka.Partitions }, 24},
		{"in a value of its own line", with("p") + "data: ${S}\n", func(c *Config) any { return c.Data }, "secret"},
		{"in a comment", with("p") + "data: x # ${NOWHERE}\n", func(c *Config) any { return c.Data }, "x"},
		{"escaped", with("$${S}"), func(c *Config) any { return c.Workspaces[0].Pepper }, "${S}"},
		{"a dollar alone", with("pa$$word"), func(c *Config) any { return c.Workspaces[0].Pepper }, "pa$$word"},
		{"set, but empty", with("p") + "clickhouse: {bi_password: ${EMPTY}}", func(c *Config) any { return c.ClickHouse.BIPassword }, ""},
		{"cannot add keys", with("${EVIL}"), func(c *Config) any { return c.HTTP }, "127.0.0.1:8080"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c, err := parse(row.text, environment)
			if err != nil {
				t.Fatal(err)
			}
			if got := row.got(c); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}
