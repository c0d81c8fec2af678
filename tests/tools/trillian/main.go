// Command trillian serves Trillian's log and admin interfaces with its own in-memory storage and sequencer: what
// the CT log and Rekor v1 need behind them, without a database. It makes as many logs as it is told; the first
// line that it prints is its address and the logs' ids.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/client"
	"github.com/google/trillian/extension"
	sequencer "github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage/memory"
	"github.com/google/trillian/util/clock"
	"github.com/google/trillian/util/election2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/klog/v2"
)

// A signing waits for its entry to be sequenced.
const interval = 100 * time.Millisecond

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: trillian ADDRESS:PORT NUMBER_OF_LOGS (port 0: any free one)")
	}
	logs, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	onlyErrors()
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	trees := memory.NewTreeStorage()
	registry := extension.Registry{
		AdminStorage:    memory.NewAdminStorage(trees),
		LogStorage:      memory.NewLogStorage(trees, nil),
		QuotaManager:    quota.Noop(),
		ElectionFactory: election2.NoopFactory{},
	}
	rpc := grpc.NewServer(grpc.UnaryInterceptor(interceptor.ErrorWrapper))
	trillian.RegisterTrillianAdminServer(rpc, admin.New(registry, nil))
	trillian.RegisterTrillianLogServer(rpc, server.NewTrillianLogRPCServer(registry, clock.System))
	info := sequencer.OperationInfo{
		Registry:    registry,
		BatchSize:   50,
		NumWorkers:  1,
		RunInterval: interval,
		TimeSource:  clock.System,
	}
	manager := sequencer.NewSequencerManager(registry, 0)
	go sequencer.NewOperationManager(info, manager).OperationLoop(context.Background())
	go func() { log.Fatal(rpc.Serve(listener)) }()

	line := listener.Addr().String()
	for range logs {
		id, err := newLog(listener.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		line += fmt.Sprintf(" %d", id)
	}
	fmt.Println(line)
	select {}
}

// onlyErrors keeps Trillian from warning at every round that there was nothing to do.
func onlyErrors() {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	if err := flags.Parse([]string{"-logtostderr=false", "-stderrthreshold=ERROR"}); err != nil {
		log.Fatal(err)
	}
	klog.SetOutput(io.Discard)
}

func newLog(address string) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	wanted := &trillian.CreateTreeRequest{Tree: &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_LOG,
		MaxRootDuration: durationpb.New(time.Hour),
	}}
	admins, logs := trillian.NewTrillianAdminClient(connection), trillian.NewTrillianLogClient(connection)
	tree, err := client.CreateAndInitTree(ctx, wanted, admins, logs)
	if err != nil {
		return 0, err
	}
	return tree.TreeId, nil
}
