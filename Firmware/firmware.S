// Epicure's firmware image: entry points that the architecture wants to be IA-64 code. Each hands over to the emulator through a
// gate; the work is done in Sources/SystemFirmware. All code is position independent: the operating system may call it at its
// physical address or through any mapping of its own.
//
// Offset 0      directory, PAL code (one naturally aligned 16 KiB page: EFI memory type PAL code)
// Offset 0x4000 SAL and EFI code (EFI memory type runtime services code); the emulator puts EFI's interruption
//               vectors at 0x8000

        .text
        .explicit
        .include "gates.inc"

// A procedure that is one gate: called by br.call, returns by br.ret.
        .macro procedure number
        { .mib
          break.m GATE + \number
          nop.i 0
          br.ret.sptk.many b0 ;;
        }
        .endm

// Finds the physical address of one page for a handler that was given a virtual pointer. The load brings in the translation the
// way any load would (the operating system's miss handlers run if they must); then the call that needed it starts over.
// r8 virtual address, r10 bundle of the gate to repeat; uses r9 and b7, which are scratch in every calling convention here.
        .macro translate_page
        { .mmi
          ld1 r9 = [r8]
          nop.m 0
          mov b7 = r10 ;;
        }
        { .mii
          tpa r9 = r8
          nop.i 0
          nop.i 0 ;;
        }
        { .mib
          break.m GATE + GATE_TRANSLATED
          nop.i 0
          br.cond.sptk.many b7 ;;
        }
        .endm

image:
        .ascii "EPICFIRM"
        data8 code - image              // size of the PAL page
        data8 pal_proc - image
        data8 pal_translate - image
        data8 reset - image
        data8 wait_for_wakeup - image
        data8 sal_proc - image
        data8 translate - image
        data8 fpswa - image
        data8 runtime_services - image
        data8 boot_services - image
        data8 end - image
        data8 efi_start - image
        data8 call_out - image
        data8 unwind - image
        data8 nap - image
        data8 notified - image
        data8 resume - image
        data8 protocol_functions - image
        data8 vectors - image

        .include "pal.S"
        .balign 0x4000, 0
code:
        .include "boot.S"
        .include "sal.S"
        .include "efi.S"
        .include "services.S"
        .include "vectors.S"
        .balign 16, 0
end:
