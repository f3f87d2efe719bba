package store_test

import (
	"testing"

	"firemode/internal/store"
	"firemode/internal/store/postgres"
	"firemode/internal/store/sqlite"
	"firemode/internal/store/storetest"
)

func TestCheckPorts_EnginesOfferEveryPort(t *testing.T) {
	if err := store.CheckPorts(sqlite.Ports()); err != nil {
		t.Error(err)
	}
	if err := store.CheckPorts(postgres.Ports()); err != nil {
		t.Error(err)
	}
}

func TestCheckPorts_WritingPortInAView_Error(t *testing.T) {
	_, update := sqlite.Ports()
	if err := store.CheckPorts(update, update); err == nil {
		t.Error("a View with writing ports was accepted")
	}
}

func TestCheckPorts_PortMissing_Error(t *testing.T) {
	view, update := sqlite.Ports()
	if err := store.CheckPorts(view, nothing{update}); err == nil {
		t.Error("an Update without ports was accepted")
	}
	if err := store.CheckPorts(view, storetest.Wrapper{Tx: update}); err != nil {
		t.Errorf("a wrapped Update: %v", err)
	}
}

// nothing is a transaction without a port.
type nothing struct{ store.Tx }
