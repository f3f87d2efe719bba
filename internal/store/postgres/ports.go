package postgres

import "firemode/internal/store"

// Ports returns transactions that are not open, for store.CheckPorts.
func Ports() (view store.ReadTx, update store.Tx) { return readTx{}, writeTx{} }

// Every port, so that the compiler names the method that is missing.
var (
	_ store.ActorReader        = readTx{}
	_ store.AssetReader        = readTx{}
	_ store.AuditReader        = readTx{}
	_ store.BuildingReader     = readTx{}
	_ store.DefectReader       = readTx{}
	_ store.EntryReader        = readTx{}
	_ store.ExactReader        = readTx{}
	_ store.HeadReader         = readTx{}
	_ store.ItemReader         = readTx{}
	_ store.OpReader           = readTx{}
	_ store.OrganisationReader = readTx{}
	_ store.OrphanReader       = readTx{}
	_ store.OwnOpReader        = readTx{}
	_ store.ResponseReader     = readTx{}
	_ store.RuleReader         = readTx{}
	_ store.SessionReader      = readTx{}
	_ store.TokenReader        = readTx{}
	_ store.UserReader         = readTx{}

	_ store.ActorWriter        = writeTx{}
	_ store.AssetWriter        = writeTx{}
	_ store.AuditWriter        = writeTx{}
	_ store.BuildingWriter     = writeTx{}
	_ store.DefectWriter       = writeTx{}
	_ store.EntryWriter        = writeTx{}
	_ store.ItemWriter         = writeTx{}
	_ store.OpWriter           = writeTx{}
	_ store.OrganisationWriter = writeTx{}
	_ store.ResponseWriter     = writeTx{}
	_ store.RuleWriter         = writeTx{}
	_ store.SessionWriter      = writeTx{}
	_ store.TokenWriter        = writeTx{}
	_ store.UserWriter         = writeTx{}
)
