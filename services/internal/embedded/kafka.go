package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// Kafka is a running broker: one node that is its own controller.
type Kafka struct {
	process
	addr string
	own  string // where we ask it ourselves
}

// clusterID is the same for every embedded broker: none of them ever meets another.
const clusterID = "VGhyb3VnaGxpbmVLYWZrYQ"

// StartKafka starts the broker on the configured port and waits until it answers.
func StartKafka(ctx context.Context, cfg Config, log *zap.Logger) (*Kafka, error) {
	addr, err := freePort(ctx, cfg.Kafka)
	if err != nil {
		return nil, err
	}
	controller, err := freePort(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return startNode(ctx, cfg, node{Dir: "kafka", ID: 1, Addr: addr, Controllers: []string{controller}}, log)
}

// node is one broker of a cluster, which may have but one. All are controllers too.
type node struct {
	Dir         string // under the data directory
	ID          int
	Addr, Own   string
	Controllers []string // of all nodes, in the order of their ids
	Secure      *Secure
}

// Controller is where this node's controller listens, Voters are all of them, and Replicas is how many copies there are of everything.
func (n node) Controller() string { return n.Controllers[n.ID-1] }
func (n node) Replicas() int      { return len(n.Controllers) }
func (n node) InSync() int        { return n.Replicas()/2 + 1 }

// SessionMillis is Session in the file's unit.
func (n node) SessionMillis() int64 { return Session.Milliseconds() }

// Voters are the controllers with their ids.
func (n node) Voters() string {
	var out []string
	for i, c := range n.Controllers {
		out = append(out, strconv.Itoa(i+1)+"@"+c)
	}
	return strings.Join(out, ",")
}

func startNode(ctx context.Context, cfg Config, n node, log *zap.Logger) (*Kafka, error) {
	libs := filepath.Join(cfg.Engines, kafkaDir)
	if _, err := os.Stat(libs); err != nil {
		return nil, fmt.Errorf("the Kafka engine is not there (%w): run `make engines`, or use one of your own with --kafka", err)
	}
	java, err := findJava(ctx, cfg.Engines)
	if err != nil {
		return nil, err
	}
	dir, logs, err := makeDirs(cfg.Data, n.Dir)
	if err != nil {
		return nil, err
	}
	lock := filepath.Join(dir, "engine.lock")
	if err := awaitLeftover(lock); err != nil {
		return nil, err
	}
	n.Own, n.Secure = n.Addr, cfg.Secure
	if n.Secure != nil {
		if n.Own, err = freePort(ctx, "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	k := &Kafka{addr: n.Addr, own: n.Own}
	properties, err := writeKafkaConfig(dir, n)
	if err != nil {
		return nil, err
	}
	output := filepath.Join(logs, n.Dir+".out")
	if err := formatStorage(ctx, java, cfg.Engines, dir, properties, cfg.Secure); err != nil {
		return nil, err
	}
	command := append([]string{verbWatch, lock, java}, javaArgs(cfg.Engines, dir)...)
	k.process = process{
		name: n.Dir, args: append(command, "kafka.Kafka", properties), output: output, ready: k.ping, log: log,
	}
	if err := k.start(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// Addr is host:port of the broker.
func (k *Kafka) Addr() string { return k.addr }

// Addrs is its one address.
func (k *Kafka) Addrs() []string { return []string{k.addr} }

// PID is the process that watches the broker; killing it kills the broker.
func (k *Kafka) PID() int { return int(k.pid.Load()) }

// Stop ends the broker in order.
func (k *Kafka) Stop() { k.end() }

func (k *Kafka) ping(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.own), kgo.DialTimeout(time.Second), kgo.RequestRetries(0))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Ping(ctx)
}

// javaArgs are for a broker on a small machine: quick to start rather than quick in a week.
func javaArgs(engines, dir string) []string {
	args := []string{
		"-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=256m", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile=" + filepath.Join(dir, "log4j2.properties"),
	}
	if archive := filepath.Join(engines, classArchive); exists(archive) {
		args = append(args, "-XX:SharedArchiveFile="+archive, "-Xshare:auto")
	}
	return append(args, "-cp", classPath(engines))
}

// classPath lists the jars: a wildcard's order is not defined, and an archive of classes is for one order alone.
func classPath(engines string) string {
	jars, _ := filepath.Glob(filepath.Join(engines, kafkaDir, "*.jar")) // the pattern is well formed; none found shows at the start
	return strings.Join(jars, string(os.PathListSeparator))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// formatStorage prepares the directory of a broker that has none yet.
func formatStorage(ctx context.Context, java, engines, dir, properties string, secure *Secure) error {
	if exists(filepath.Join(dir, "data", "meta.properties")) {
		return nil
	}
	args := append(javaArgs(engines, dir), "kafka.tools.StorageTool", "format", "--cluster-id", clusterID, "--ignore-formatted", "--config", properties)
	if secure != nil {
		args = append(args, "--add-scram", "SCRAM-SHA-512=[name="+secure.User+",password="+secure.Password+"]")
	}
	out, err := exec.CommandContext(ctx, java, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("format the broker's storage: %w: %s", err, out)
	}
	return nil
}

// errNoJava is met where no Java of version 17 or later is to be found.
var errNoJava = errors.New("no Java 17 or later: set JAVA_HOME, or install a JRE (Debian: default-jre-headless), or pip so that `make engines` can " +
	"fetch one; or use a Kafka of your own with --kafka, or docker compose")
