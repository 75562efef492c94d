/* Libraries that most runs do without, loaded when one of their functions is first called: what they need in turn (GnuTLS, libgcrypt, GLib, libxml2
 * and ICU) would otherwise be relocated at every start of the process, which is some thirteen million instructions. A shim names the library with
 * EPICURE_LAZY_LIBRARY and each function with EPICURE_LAZY or EPICURE_LAZY_VOID; functions keep their names, with `lazy_` in front. Whoever looks
 * a symbol up twice at the same time finds the same one twice.
 */
#ifndef EPICURE_LAZY_H
#define EPICURE_LAZY_H

#include <dlfcn.h>
#include <stddef.h>

/* `symbol` is what looks a name up. */
#define EPICURE_LAZY_LIBRARY(symbol, file) \
  static inline void *symbol(const char *name) { \
    static void *library; \
    if (!library) library = dlopen(file, RTLD_NOW | RTLD_LOCAL); \
    return library ? dlsym(library, name) : NULL; \
  }

/* `failure` is what is returned without the library. */
#define EPICURE_LAZY(symbol, type, name, parameters, arguments, failure) \
  static inline type lazy_##name parameters { \
    static __typeof__(name) *function; \
    if (!function) function = (__typeof__(name) *)symbol(#name); \
    return function ? function arguments : failure; \
  }

#define EPICURE_LAZY_VOID(symbol, name, parameters, arguments) \
  static inline void lazy_##name parameters { \
    static __typeof__(name) *function; \
    if (!function) function = (__typeof__(name) *)symbol(#name); \
    if (function) function arguments; \
  }

#endif
