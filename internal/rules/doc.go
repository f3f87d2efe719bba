// Package rules classifies what a technician saw. A classification depends only on the rule version
// and the finding: the package reads no clock, no database and no configuration, and compares
// numbers as exact decimals.
//
// A rule maps observed conditions to a default class; scope (how much of the system is affected)
// can raise it; a person can override it, with a reason. A Set holds every version that an
// organisation sees and knows which is in force. The embedded catalogue and asset types are
// illustrative: paraphrased general knowledge, not the text of any Standard, and every rule's Note
// says so.
package rules
