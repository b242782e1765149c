package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// ping is a baseline ping of about 1 KB, as a client sends it.
const ping = `{"ping_info":{"seq":12,"start_time":"2026-01-01T08:00+00:00","end_time":"2026-01-01T08:10+00:00","reason":"inactive",` +
	`"experiments":{"onboarding":{"branch":"treatment"}}},"client_info":{"telemetry_sdk_build":"67.3.2","client_id":"%s",` +
	`"session_id":"5c0f6f4e-9f1c-4a44-9d8e-6b8c7f1f2a10","session_count":7,"first_run_date":"2025-12-01+00:00","os":"Linux",` +
	`"os_version":"6.1","architecture":"x86_64","locale":"en-US","app_build":"20260101","app_display_version":"1.2.3",` +
	`"app_channel":"release","device_model":"generic","device_manufacturer":"nobody"},"metrics":{"counter":` +
	`{"browser.engagement.uri_count":23,"browser.engagement.active_ticks":118,"app.opened":2},"timespan":{"glean.baseline.duration":` +
	`{"time_unit":"second","value":600}},"string":{"glean.baseline.locale":"en-US","app.theme":"dark"},"boolean":{"app.default":true},` +
	`"labeled_counter":{"glean.error.invalid_value":{"app.theme":1}},"quantity":{"app.tabs":9}}}`

// uuid is a random version 4 UUID.
func uuid(random *rand.Rand) string {
	high, low := random.Uint64(), random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", high>>32, high>>16&0xffff, high&0xfff, low>>48&0x3fff|0x8000, low&0xffffffffffff)
}

// load posts pings over the connections until the duration is over. Every request
// is a new ping of one of 10,000 clients; anything but 200 is an error.
func load(address string, connections int, duration time.Duration) (part, error) {
	var mu sync.Mutex
	var all []time.Duration
	var errs []error
	var senders sync.WaitGroup
	began := time.Now()
	for i := range connections {
		senders.Go(func() {
			took, err := send(address, rand.New(rand.NewPCG(uint64(began.UnixNano()), uint64(i))), began.Add(duration))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	senders.Wait()
	if len(errs) > 0 {
		return part{}, fmt.Errorf("%d connections met errors, the first: %w", len(errs), errs[0])
	}
	result := part{Count: len(all), Took: time.Since(began)}
	slices.Sort(all)
	if n := len(all); n > 0 {
		result.P50, result.P99 = all[n/2], all[n*99/100]
	}
	return result, nil
}

// send posts pings on one connection, each after the answer to the one before.
func send(address string, random *rand.Rand, until time.Time) ([]time.Duration, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	answers := bufio.NewReader(connection)
	var took []time.Duration
	var request bytes.Buffer
	for at := time.Now(); at.Before(until); {
		body := fmt.Sprintf(ping, fmt.Sprintf("00000000-0000-4000-8000-%012d", random.IntN(10_000)))
		request.Reset()
		fmt.Fprintf(&request, "POST /submit/my-app/baseline/1/%s HTTP/1.1\r\nHost: bench\r\nUser-Agent: Glean/67.3.2 (Rust on Linux)\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			uuid(random), len(body), body)
		if _, err := connection.Write(request.Bytes()); err != nil {
			return took, err
		}
		if err := readOK(answers); err != nil {
			return took, err
		}
		now := time.Now()
		took = append(took, now.Sub(at))
		at = now
	}
	return took, nil
}

// readOK reads an answer without a body, which must be 200.
func readOK(answers *bufio.Reader) error {
	line, err := answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || !bytes.HasPrefix(line[9:], []byte("200")) {
		return fmt.Errorf("the answer is %q", bytes.TrimSpace(line))
	}
	for {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return nil
		}
		if length, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if n, err := strconv.Atoi(string(length)); err != nil || n != 0 {
				return errors.New("the answer has a body")
			}
		}
	}
}
