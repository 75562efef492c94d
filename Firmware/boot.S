// Reset vector of the bootstrap processor: physical mode, PSR 0. The gate's handler places what is to be booted in memory and
// returns: r8 backing store, r9 stack pointer, r10 entry, r11 its gp, r14 boot parameters (for GR28), r15 and r3 the two
// arguments of an EFI application.
        .balign 32, 0
reset:
        { .mii
          mov ar.rsc = 0
          nop.i 0
          nop.i 0 ;;
        }
        { .mii
          break.m GATE + GATE_POWER_ON
          nop.i 0
          nop.i 0 ;;
        }
        { .mmi
          mov ar.bspstore = r8
          mov r12 = r9
          mov b6 = r10 ;;
        }
        { .mmi
          mov ar.rnat = r0
          invala
          mov r1 = r11 ;;
        }
        { .mib
          nop.m 0
          nop.i 0
          bsw.1 ;;
        }
        { .mii
          alloc r2 = ar.pfs, 0, 0, 2, 0
          mov r28 = r14
          nop.i 0 ;;
        }
        { .mib
          mov r32 = r15
          mov r33 = r3
          br.call.sptk.many b0 = b6 ;;
        }
        { .mib
          break.m GATE + GATE_RETURNED
          nop.i 0
          nop.b 0 ;;
        }
forever:
        { .mib
          hint.m @pause
          nop.i 0
          br.cond.sptk.few forever ;;
        }

// Where the other processors wait (SAL specification, "application processor initialization"): asleep until the wakeup interrupt,
// whose handler in SAL_SET_VECTORS they then enter in physical mode, gp in r1 and the way back in b0.
wait_for_wakeup:
        { .mii
          mov ar.rsc = 0
          nop.i 0
          nop.i 0 ;;
        }
asleep:
        { .mii
          break.m GATE + GATE_WAIT      // r8 backing store
          nop.i 0
          nop.i 0 ;;
        }
        { .mmi
          mov ar.bspstore = r8
          mov r9 = cr.ivr
          nop.i 0 ;;
        }
        { .mmi
          srlz.d
          nop.m 0
          nop.i 0 ;;
        }
        { .mmi
          mov cr.eoi = r0
          nop.m 0
          nop.i 0 ;;
        }
        { .mmi
          srlz.d
          nop.m 0
          nop.i 0 ;;
        }
        { .mii
          break.m GATE + GATE_WAKEUP    // r9 vector; returns r10 entry or 0, r11 its gp
          nop.i 0
          nop.i 0 ;;
        }
        { .mii
          mov r1 = r11
          cmp.eq p6, p7 = 0, r10
          mov b6 = r10 ;;
        }
        { .mbb
          nop.m 0
    (p6)  br.cond.dptk.few asleep
    (p7)  br.call.sptk.many b0 = b6 ;;
        }
        { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.few wait_for_wakeup ;;
        }
