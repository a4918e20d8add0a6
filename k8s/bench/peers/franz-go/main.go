// A Go worker of the same kind: franz-go and gocql, 512 statements in flight, offsets committed when their writes are through.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gocql/gocql"
	"github.com/twmb/franz-go/pkg/kgo"
)

const inFlight = 512

var uniqueRows = os.Getenv("BENCH_WORK") == "w1"

type order struct {
	OrderID     string `json:"orderId"`
	Seq         int    `json:"seq"`
	Status      string `json:"status"`
	AmountCents int64  `json:"amountCents"`
	Currency    string `json:"currency"`
	Customer    string `json:"customer"`
}

type cloudEvent struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	Data order     `json:"data"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()

	session := connect()
	defer session.Close()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BROKERS"), ",")...),
		kgo.ConsumerGroup(os.Getenv("BENCH_GROUP")),
		kgo.ConsumeTopics(os.Getenv("BENCH_TOPIC")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.DisableAutoCommit(),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	work := make(chan *kgo.Record, inFlight)
	var pending sync.WaitGroup
	for range inFlight {
		go func() {
			for record := range work {
				if err := write(session, record.Value); err != nil {
					log.Fatal(err)
				}
				pending.Done()
			}
		}()
	}

	var first sync.Once
	for {
		fetches := client.PollRecords(ctx, 10_000)
		if ctx.Err() != nil {
			return
		}
		for _, failure := range fetches.Errors() {
			log.Fatal(failure.Err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			first.Do(func() { fmt.Println("bench: first event") })
			pending.Add(1)
			work <- record
		})
		pending.Wait()
		if err := client.CommitUncommittedOffsets(ctx); err != nil && ctx.Err() == nil {
			log.Fatal(err)
		}
	}
}

func connect() *gocql.Session {
	cluster := gocql.NewCluster(strings.Split(os.Getenv("CASSANDRA_CONTACT_POINTS"), ",")...)
	cluster.Keyspace = os.Getenv("CASSANDRA_KEYSPACE")
	cluster.Consistency = gocql.LocalQuorum
	cluster.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())
	session, err := cluster.CreateSession()
	if err != nil {
		log.Fatal(err)
	}
	return session
}

const stateColumns = "order_id, seq, status, amount_cents, currency, customer, updated_at"

func write(session *gocql.Session, value []byte) error {
	var event cloudEvent
	if err := json.Unmarshal(value, &event); err != nil {
		return err
	}
	o := event.Data
	state := []any{o.OrderID, o.Seq, o.Status, o.AmountCents, o.Currency, o.Customer, event.Time}
	if uniqueRows {
		return session.Query("INSERT INTO bench_w1_v1 (id, "+stateColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			append([]any{event.ID}, state...)...).Exec()
	}
	return session.Query("INSERT INTO bench_w2_v1 ("+stateColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)", state...).Exec()
}
