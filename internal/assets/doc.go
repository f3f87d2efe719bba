// Package buildings keeps the sites that are serviced and the register of what is in them: created and changed one by one,
// brought in from a spreadsheet, given out again.
//
// It promises that whatever is in the register went through the same checks, however it came in; that each change is in the
// audit log, in the same transaction; that an import is all in or not at all, that importing the same file again changes
// nothing, and that what Export writes, Import finds unchanged.
//
// Every method works for the principal in the context, in that principal's organisation. An owner sees only the buildings
// that name them, and CodeNotFound elsewhere; which roles may write is internal/identity's table, not checked here.
package assets
