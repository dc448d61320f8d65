package embedded

import (
	"os"
	"path/filepath"
	"text/template"
)

var kafkaTemplate = template.Must(template.New("server").Parse(`# Written at every start: changes here are lost.
process.roles=broker,controller
node.id={{.ID}}
controller.quorum.voters={{.Voters}}
{{if .Secure}}listeners=SASL_SSL://{{.Addr}},PLAINTEXT://{{.Own}},CONTROLLER://{{.Controller}}
advertised.listeners=SASL_SSL://{{.Addr}},PLAINTEXT://{{.Own}}
listener.security.protocol.map=SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={{.Path}}/keystore.pem
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
{{else}}listeners=PLAINTEXT://{{.Addr}},CONTROLLER://{{.Controller}}
advertised.listeners=PLAINTEXT://{{.Addr}}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
{{end}}controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={{.Path}}/data

# On one node there is nothing to replicate to.
default.replication.factor={{.Replicas}}
min.insync.replicas={{.InSync}}
offsets.topic.replication.factor={{.Replicas}}
offsets.topic.num.partitions=4
# What a coordinator reads at a start is to be little: the leader of its partition changes soon after, and whatever was not read by
# then it takes for not there (Apache Kafka 4.3). Only segments that are closed are compacted.
offsets.topic.segment.bytes=1048576
transaction.state.log.segment.bytes=1048576
transaction.state.log.replication.factor={{.Replicas}}
transaction.state.log.min.isr={{.InSync}}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={{.Replicas}}
share.coordinator.state.topic.min.isr={{.InSync}}

broker.session.timeout.ms={{.SessionMillis}}
{{if eq .Replicas 1}}# A quick return after a crash: nobody else could take over meanwhile.
broker.heartbeat.interval.ms=300
controller.quorum.election.timeout.ms=300
controller.quorum.fetch.timeout.ms=600
{{else}}# Several watch each other, and an election takes processor time of its own. Of the quorum's times the defaults hold.
broker.heartbeat.interval.ms=1000
{{end}}group.initial.rebalance.delay.ms=0
num.recovery.threads.per.data.dir=2

# A topic is made by us, with what it must be, or not at all.
auto.create.topics.enable=false
# A person that moves between partitions travels in one record, and the loader's plan in an offset's metadata.
message.max.bytes=20971520
replica.fetch.max.bytes=20971520
offset.metadata.max.bytes=65536
# A transaction of a process that is gone for good holds readers up this long at most.
transaction.max.timeout.ms=120000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.min.session.timeout.ms=1000
# Where the markers of the transaction before are still being written; the default of 20 ms is felt by whoever waits for a commit.
add.partitions.to.txn.retry.backoff.ms=2

num.network.threads=2
num.io.threads=4
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=33554432
log.cleaner.min.cleanable.ratio=0.3
`))

var log4jTemplate = template.Must(template.New("log4j").Parse(`status=error
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=OUT
`))

// kafkaFile is what the template is filled with.
type kafkaFile struct {
	node
	Path string
}

func writeKafkaConfig(dir string, n node) (string, error) {
	if n.Secure != nil { // Java wants key and certificate in one file
		key, err := os.ReadFile(n.Secure.Key)
		if err != nil {
			return "", err
		}
		cert, err := os.ReadFile(n.Secure.Cert)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, "keystore.pem"), append(key, cert...), 0o600); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "server.properties")
	if err := writeTemplate(path, kafkaTemplate, kafkaFile{n, dir}); err != nil {
		return "", err
	}
	return path, writeTemplate(filepath.Join(dir, "log4j2.properties"), log4jTemplate, nil)
}
