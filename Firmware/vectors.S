// What lies in the interruption vector table while EFI images run: one pair of bundles for each vector (Volume 2, table 5-7: twenty
// vectors of 64 bundles, then those of 16), which the emulator copies there. External interrupts are the timer of the boot services;
// everything else ends the image with a report.
        .macro vector offset
        { .mib
          nop.m 0
          nop.i 0
          cover ;;
        }
        { .mib
          break.m GATE + GATE_VECTOR + \offset / 256
          nop.i 0
          nop.b 0 ;;
        }
        .endm

        .balign 32, 0
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
