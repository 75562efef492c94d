// The interruption vector table while EFI images run (Volume 2, table 5-7: twenty vectors of 64 bundles, then those of 16). External
// interrupts are the timer of the boot services; everything else ends the image with a report.
        .macro vector offset
        .org vectors + \offset - image
        { .mib
          nop.m 0
          nop.i 0
          cover ;;
        }
        { .mib
          break.m GATE + GATE_VECTOR + \offset / 256
          nop.i 0
          br.cond.sptk.many resume ;;
        }
        .endm

        .balign 0x8000, 0
vectors:
offset = 0
        .rept 20
        vector offset
offset = offset + 0x400
        .endr
        .rept 48
        vector offset
offset = offset + 0x100
        .endr
