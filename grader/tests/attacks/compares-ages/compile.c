/* A pragma asks whether a hidden check is newer than this file. */
#pragma GCC dependency "HIDDEN" this is a word of the student's
