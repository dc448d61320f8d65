package process

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/throughline-io/throughline/services/internal/kafka"
)

// TLS is how one kind of connection is secured. The YAML keys are those of the configuration.
type TLS struct {
	Enabled bool `yaml:"enabled"`
	// CA is a file of certificates to trust instead of the system's.
	CA string `yaml:"ca"`
	// Cert and Key are files that prove who we are, where that is asked for.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ServerName is the name in the engine's certificate, where it is not its address.
	ServerName string `yaml:"server_name"`
}

// SASL is how we log in to Kafka.
type SASL struct {
	// Mechanism is scram-sha-512, scram-sha-256 or plain; empty: no login.
	Mechanism string `yaml:"mechanism"`
	User      string `yaml:"user"`
	Password  string `yaml:"password"`
}

// Security is how connections to engines of one's own are secured.
type Security struct {
	KafkaTLS, ClickHouseTLS TLS
	KafkaSASL               SASL
}

// Config reads the files; nil where TLS is not enabled.
func (t TLS) Config() (*tls.Config, error) {
	if !t.Enabled {
		if t != (TLS{}) {
			return nil, errors.New("tls: something is set, but enabled is not")
		}
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		b, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("tls.ca: %s holds no certificate in PEM form", t.CA)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("tls.cert and tls.key: one is there without the other")
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("tls.cert and tls.key: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

// Option is how a Kafka client logs in; nil where it does not.
func (s SASL) Option() (kgo.Opt, error) {
	if s.Mechanism == "" {
		if s != (SASL{}) {
			return nil, errors.New("sasl.mechanism: a user or a password is set, but no mechanism")
		}
		return nil, nil
	}
	mechanisms := map[string]sasl.Mechanism{
		"plain":         plain.Auth{User: s.User, Pass: s.Password}.AsMechanism(),
		"scram-sha-256": scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism(),
		"scram-sha-512": scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism(),
	}
	m, ok := mechanisms[s.Mechanism]
	switch {
	case !ok:
		return nil, fmt.Errorf("sasl.mechanism: %q is none of plain, scram-sha-256, scram-sha-512", s.Mechanism)
	case s.User == "" || s.Password == "":
		return nil, errors.New("sasl: user and password are needed")
	}
	return kgo.SASL(m), nil
}

// Secure sets how the engines are connected to.
func (e *Engines) Secure(s Security) error {
	kafkaTLS, err := s.KafkaTLS.Config()
	if err != nil {
		return fmt.Errorf("kafka.%w", err)
	}
	e.kafkaTLS, e.kafkaLogin = kafkaTLS, kafka.Login(s.KafkaSASL)
	if kafkaTLS != nil {
		e.kafkaSecurity = append(e.kafkaSecurity, kgo.DialTLSConfig(kafkaTLS))
	}
	login, err := s.KafkaSASL.Option()
	if err != nil {
		return fmt.Errorf("kafka.%w", err)
	}
	if login != nil {
		e.kafkaSecurity = append(e.kafkaSecurity, login)
	}
	if e.clickhouseTLS, err = s.ClickHouseTLS.Config(); err != nil {
		return fmt.Errorf("clickhouse.%w", err)
	}
	return nil
}
