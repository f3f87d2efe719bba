// Package rules judges what a technician saw. It promises that a judgement follows from the rule
// version, the finding and nothing else: it reads no clock, no database and no configuration, and
// numbers are compared as exact decimals.
//
// A rule maps observed conditions to a default class; scope (how much of the system is affected)
// can raise it; a person can override it, with a reason. A Book holds every version that an
// organisation sees and knows which is in force. The embedded catalogue and asset types are
// illustrative: paraphrased general knowledge, not the text of any Standard, and every rule's Note
// says so.
package rules
