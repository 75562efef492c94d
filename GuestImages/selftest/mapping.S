// Translations for tests: slot 7 of the translation registers.
        .include "macros.inc"

        .text
// r16 translation, r17 ITIR, r18 address.
        .balign 32
        .global map_data, map_code
map_data:
        mov r19 = 7
        rsm PSR_IC
        serialize d
        mov cr.ifa = r18
        mov cr.itir = r17
        serialize d
        itr.d dtr[r19] = r16
        ssm PSR_IC
        serialize i
        br.ret.sptk.many b0

map_code:
        mov r19 = 7
        rsm PSR_IC
        serialize d
        mov cr.ifa = r18
        mov cr.itir = r17
        serialize d
        itr.i itr[r19] = r16
        ssm PSR_IC
        serialize i
        br.ret.sptk.many b0

        .bss
        .balign 0x4000
        .global page
page:   .skip 0x4000
