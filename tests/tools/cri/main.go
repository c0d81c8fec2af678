// Command cri asks a containerd for images as a kubelet does: through the image service of its container runtime
// interface, so that the daemon's own configuration leads it to the registry.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: cri SOCKET pull|status IMAGE")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

// run prints what the answer names: for pull the image's reference, for status its id, or nothing if there is none.
func run(socket, command, name string) error {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	images, image := cri.NewImageServiceClient(connection), &cri.ImageSpec{Image: name}
	switch command {
	case "pull":
		answer, err := images.PullImage(ctx, &cri.PullImageRequest{Image: image})
		if err != nil {
			return err
		}
		fmt.Println(answer.ImageRef)
	case "status":
		answer, err := images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: image})
		if err != nil {
			return err
		}
		if answer.Image != nil {
			fmt.Println(answer.Image.Id)
		}
	default:
		return fmt.Errorf("unknown command %q", command)
	}
	return nil
}
