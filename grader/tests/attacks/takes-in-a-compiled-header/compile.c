/* A pragma asks for a file as a precompiled header. */
#pragma GCC pch_preprocess "HIDDEN"
