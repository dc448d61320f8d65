package process

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/internal/embedded"
)

func TestMain(m *testing.M) {
	embedded.Main()
	os.Exit(m.Run())
}

// certificate makes a certificate of 127.0.0.1 that is its own authority.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "engine"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
}

// behindTLS puts a TLS end before a server that speaks without.
func behindTLS(t *testing.T, server, cert, key string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			go func() {
				defer from.Close()
				to, err := net.Dial("tcp", server)
				if err != nil {
					return // whoever asks meets a closed connection
				}
				defer to.Close()
				go func() { _, _ = io.Copy(to, from) }()
				_, _ = io.Copy(from, to)
			}()
		}
	}()
	return l.Addr().String()
}

// Real engines, a broker that speaks TLS alone and asks for a login, a ClickHouse behind TLS: topics and tables are made and asked, and whoever has another
// password, no login or no TLS is not let in.
func TestSecureEngines(t *testing.T) {
	embedded.TestEngines(t)
	cert, key := certificate(t)
	cfg := embedded.Config{
		Data: t.TempDir(), Engines: embedded.EnginesDir(), Kafka: "127.0.0.1:0", ClickHouse: "127.0.0.1:0", ClickHouseHTTP: "127.0.0.1:0",
		Secure: &embedded.Secure{Cert: cert, Key: key, User: "throughline", Password: "let-me-in"},
	}
	for _, u := range schema.Users("writer's", "", nil) {
		cfg.Users = append(cfg.Users, embedded.User{Name: u.Name, Password: u.Password, Settings: u.Settings, Changeable: u.Changeable, Grants: u.Grants, Filters: u.Filters})
	}
	k, err := embedded.StartKafka(t.Context(), cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer k.Stop()
	c, err := embedded.StartClickHouse(t.Context(), cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	trusted := TLS{Enabled: true, CA: cert}
	secured := behindTLS(t, c.Addr(), cert, key)
	engines := func(s Security) *Engines {
		e := &Engines{Brokers: []string{k.Addr()}, ClickHouse: []string{secured}, Admin: embedded.AdminUser, AdminPassword: c.AdminPassword(), Embedded: true}
		if err := e.Secure(s); err != nil {
			t.Fatal(err)
		}
		return e
	}
	good := Security{KafkaTLS: trusted, KafkaSASL: SASL{"scram-sha-512", "throughline", "let-me-in"}, ClickHouseTLS: trusted}
	e := engines(good)
	if err := EnsureTopics(t.Context(), e.Connect(), "", 2); err != nil {
		t.Error(err)
	}
	if err := Migrate(t.Context(), e, nil, nil, nil); err != nil {
		t.Error(err)
	}
	db, err := OpenClickHouse(e, schema.Writer, "writer's", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables uint64
	if err := db.QueryRow(t.Context(), "SELECT count() FROM throughline.credits").Scan(&tables); err != nil {
		t.Error(err)
	}
	for _, row := range []struct {
		name   string
		change func(*Security)
	}{
		{"another password", func(s *Security) { s.KafkaSASL.Password = "let-me-out" }},
		{"no login", func(s *Security) { s.KafkaSASL = SASL{} }},
		{"no TLS", func(s *Security) { s.KafkaTLS = TLS{} }},
		{"an authority that is not the broker's", func(s *Security) { s.KafkaTLS.CA, _ = certificate(t) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := good
			row.change(&s)
			client, err := kgo.NewClient(append(engines(s).Connect(), kgo.RequestRetries(0), kgo.RetryTimeout(3*time.Second), kgo.DialTimeout(2*time.Second))...)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := kadm.NewClient(client).ListTopics(t.Context()); err == nil {
				t.Error("it is let in")
			}
		})
	}
	t.Run("ClickHouse without TLS", func(t *testing.T) {
		plain := good
		plain.ClickHouseTLS = TLS{}
		db, err := OpenClickHouse(engines(plain), schema.Writer, "writer's", 1)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Ping(t.Context()); err == nil {
			t.Error("it is let in")
		}
	})
}

func TestFaultsOfSecurity(t *testing.T) {
	cert, key := certificate(t)
	for _, row := range []struct {
		name string
		tls  TLS
		sasl SASL
		says string
	}{
		{"not enabled", TLS{CA: cert}, SASL{}, "enabled"},
		{"a file that is not there", TLS{Enabled: true, CA: "/none"}, SASL{}, "tls.ca"},
		{"no certificate", TLS{Enabled: true, CA: key}, SASL{}, "holds no certificate"},
		{"a certificate without its key", TLS{Enabled: true, Cert: cert}, SASL{}, "one is there without the other"},
		{"a key that is none", TLS{Enabled: true, Cert: cert, Key: cert}, SASL{}, "tls.cert and tls.key"},
		{"another mechanism", TLS{}, SASL{"gssapi", "a", "b"}, "none of plain"},
		{"no password", TLS{}, SASL{"plain", "a", ""}, "user and password"},
		{"no mechanism", TLS{}, SASL{"", "a", "b"}, "no mechanism"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := (&Engines{}).Secure(Security{KafkaTLS: row.tls, KafkaSASL: row.sasl})
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want %s", err, row.says)
			}
		})
	}
}
