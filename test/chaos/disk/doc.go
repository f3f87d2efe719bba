// Package disk is a file system for tests that can lose its power. It is mounted through FUSE and
// lives in memory.
//
// It keeps apart what a program sees and what a real disk would hold: written bytes become durable
// when their file is synced, names when their folder is. Cut takes the power away: what was not
// synced is gone, all of it or by chance page by page and folder by folder, as a disk that was
// writing back at that moment leaves it. A process that is killed proves nothing of this kind,
// since the kernel writes its pages all the same.
//
// It can also run full, fail to write and fail to sync. After a failed sync it does what Linux
// does: the bytes can still be read, no later sync makes them durable, and only writing them again
// does.
//
// It knows regular files, folders and hard links, which is what databases use; no devices, symbolic
// links or extended attributes. Locks are the kernel's. The process that serves a mounted disk must
// not itself use what is mounted there, least of all by mmap: it would wait for itself.
package disk
