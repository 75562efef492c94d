// PAL_PROC (Volume 2, section 11.10). Indices with bit 8 set use the stacked calling convention, the others the static one, which
// must not touch the register stack and returns by a plain branch.
        .balign 32, 0
pal_proc:
        { .mii
          break.m GATE + GATE_PAL
          tbit.nz p6, p7 = r28, 8
          nop.i 0 ;;
        }
        { .mbb
          nop.m 0
    (p6)  br.ret.sptk.many b0
    (p7)  br.cond.sptk.many b0 ;;
        }

pal_translate:
        translate_page
