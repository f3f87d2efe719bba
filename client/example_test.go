package client_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"firemode"
	"firemode/client"
)

func ExampleClient_Login() {
	ctx := context.Background()
	c, err := client.New(client.Config{BaseURL: serverURL()})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Login(ctx, "anna@acme", password); err != nil {
		fmt.Println(err)
		return
	}

	// After a restart of the program the stored tokens replace the login.
	again, err := client.New(client.Config{BaseURL: serverURL(), Tokens: c.Tokens()})
	if err != nil {
		fmt.Println(err)
		return
	}
	me, err := again.Me(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(me.Username, me.Role)
	// Output: anna@acme technician
}

func ExampleClient_Classify() {
	ctx := context.Background()
	c := login("anna@acme")
	for _, scope := range []client.Scope{nil, {"only_unit_in_area": true}} {
		found, err := c.Classify(ctx, client.Finding{
			Code: "AS1851-2012-FE-01", Condition: "pressure_low", Scope: scope,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(found.Class, found.Basis)
	}
	// Output:
	// non_critical_defect default
	// critical_defect escalated
}

// A list is fetched page by page while it is read.
func ExampleClient_Assets() {
	ctx := context.Background()
	c := login("anna@acme")
	building := planVisit(ctx).Building
	for asset, err := range c.Assets(ctx, building, client.AssetFilter{System: "FE"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(asset.ID, asset.Description)
	}
	// Output:
	// FE-001 Extinguisher ABE 4.5kg
	// FE-002 Extinguisher CO2 5kg
}

// A visit: take the bundle along, record without a network, synchronise.
func ExampleDevice() {
	ctx := context.Background()
	device := client.NewDevice(login("anna@acme"), planVisit(ctx).ID, client.DeviceConfig{})
	bundle, err := device.Bundle(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(bundle.Data.Items), "items")

	handle := client.Set(client.ItemPath("FE-001", "measurements", "handle_height_mm"), []byte("1180"))
	handle.Instrument = &client.Instrument{ID: "T-4"}
	device.Record(client.Set(client.ItemPath("FE-001", "outcome"), client.Text("pass")), handle)
	fmt.Println(len(device.Pending()), "batch pending")

	report, err := device.Sync(ctx)
	if err != nil {
		fmt.Println(err) // and sync again later
		return
	}
	for _, receipt := range report.Receipts {
		fmt.Println(receipt.Status, receipt.Applied)
	}
	shown, _ := device.Document.Get("/items/FE-001/measurements")
	fmt.Printf("%s, %d batches pending\n", shown, len(device.Pending()))
	// Output:
	// 5 items
	// 1 batch pending
	// merged 2
	// {"handle_height_mm":1180}, 0 batches pending
}

// The state survives a restart of the device. A batch is sent under the same Idempotency-Key before
// and after, so it is merged once.
func ExampleState() {
	ctx := context.Background()
	c, session := login("anna@acme"), planVisit(ctx).ID
	device := client.NewDevice(c, session, client.DeviceConfig{})
	device.Record(client.Set(client.ItemPath("FE-001", "outcome"), client.Text("pass")))
	stored, err := json.Marshal(device.State) // to the disk of the device
	if err != nil {
		fmt.Println(err)
		return
	}
	// The batch arrives, but the device is switched off before it stores the receipt.
	if _, err := device.Sync(ctx); err != nil {
		fmt.Println(err)
		return
	}

	var state client.State
	if err := json.Unmarshal(stored, &state); err != nil {
		fmt.Println(err)
		return
	}
	device = client.RestoreDevice(c, state, client.DeviceConfig{})
	report, err := device.Sync(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt := report.Receipts[0]
	fmt.Println(receipt.Status, receipt.Applied, "applied, replayed:", receipt.Replayed)
	// Output: merged 1 applied, replayed: true
}

// Two technicians read the same gauge differently, neither having seen the other's reading. Both
// readings stay until a person settles the conflict.
func ExampleResolve() {
	ctx := context.Background()
	session := planVisit(ctx).ID
	gauge := client.ItemPath("FE-002", "measurements", "pressure_kpa")
	first := client.NewDevice(login("anna@acme"), session, client.DeviceConfig{})
	second := client.NewDevice(login("ben@acme"), session, client.DeviceConfig{})
	first.Record(client.Set(gauge, []byte("1180")))
	second.Record(client.Set(gauge, []byte("1230")))
	for _, device := range []*client.Device{first, second} {
		if _, err := device.Sync(ctx); err != nil {
			fmt.Println(err)
			return
		}
	}

	conflict := second.Conflicts[gauge]
	fmt.Println(len(conflict.Values), "readings disagree in", conflict.Kind)
	second.Record(client.Resolve(conflict, []byte("1200"), "read again together"))
	if _, err := second.Sync(ctx); err != nil {
		fmt.Println(err)
		return
	}
	value, _ := second.Document.Get(gauge)
	fmt.Printf("%s, %d conflicts\n", value, len(second.Conflicts))
	// Output:
	// 2 readings disagree in value
	// 1200, 0 conflicts
}

func ExampleError() {
	ctx := context.Background()
	_, err := login("anna@acme").Classify(ctx, client.Finding{Code: "AS1851-2012-FE-01", Condition: "dented_badly"})
	var refused *client.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Retryable)
		fmt.Println(refused.Details[0].Field)
	}
	// Output:
	// FIRE-422 false
	// observed_condition
}

// planVisit plans a visit to a building with two extinguishers.
func planVisit(ctx context.Context) client.Session {
	manager := login("manager@acme")
	building, err := manager.CreateBuilding(ctx, client.NewBuilding{
		Name: "Boat Shed", Address: rand.Text() + " Quay, Sydney", // nobody may create the same building twice
	})
	check(err)
	for _, asset := range []client.NewAsset{
		{ID: "FE-001", Type: "extinguisher_powder", Description: "Extinguisher ABE 4.5kg", Level: "G"},
		{ID: "FE-002", Type: "extinguisher_co2", Description: "Extinguisher CO2 5kg", Level: "G"},
	} {
		_, err := manager.CreateAsset(ctx, building.ID, asset)
		check(err)
	}
	session, err := manager.CreateSession(ctx, client.NewSession{
		Building: building.ID, Name: "Six-monthly service", Frequency: firemode.SixMonthly,
	})
	check(err)
	return session
}

// login returns a client of the example server, logged in as username.
func login(username string) *client.Client {
	c, err := client.New(client.Config{BaseURL: serverURL()})
	check(err)
	check(c.Login(context.Background(), username, password))
	return c
}
