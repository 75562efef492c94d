// What EFI boot services need to be IA-64 code: calling out of a handler into the guest's code, and unwinding what an image has left
// on the stacks when it calls Exit.

// The start of the boot manager, called by the reset code: r1 the interruption vector table, the first call prepared by the handler
// of GATE_POWER_ON. The environment is that of EFI 1.10, section 2.3.2: physical mode, interruptions collected and enabled, all
// floating-point traps disabled; register stack engine enforced lazy, as Linux relies on (its first instructions read ar.rnat).
        .balign 32, 0
efi_start:
        { .mlx
          mov cr.iva = r1
          movl r14 = 0x9804c0270033f ;;
        }
        { .mmi
          mov ar.fpsr = r14
          mov ar.rsc = 0
          nop.i 0 ;;
        }
        { .mmi
          srlz.i ;;
          ssm 0x6000                    // PSR.ic, PSR.i
          nop.i 0 ;;
        }
        { .mmi
          srlz.d
          nop.m 0
          nop.i 0 ;;
        }

// A handler that must call the guest's code goes on here instead of behind its gate. The frame is that of the service's caller, so
// that its arguments stay in0 to in7. GATE_CALL_NEXT gives the next call: r8 entry, r9 its gp, out0 to out7 its arguments, p6 set;
// or, with p6 clear, the status that the service returns in r8. Between two of them r8 is what the call has returned.
call_out:
        { .mmi
          alloc r40 = ar.pfs, 8, 4, 8, 0
          nop.m 0
          mov r41 = b0 ;;
        }
        { .mii
          mov r42 = r1
          nop.i 0
          nop.i 0 ;;
        }
next_call:
        { .mii
          break.m GATE + GATE_CALL_NEXT
          nop.i 0
          nop.i 0 ;;
        }
        { .mib
          mov r1 = r9
    (p6)  mov b6 = r8
    (p6)  br.call.sptk.many b0 = called ;;
        }
        { .mib
          nop.m 0
          nop.i 0
    (p6)  br.cond.sptk.many next_call ;;
        }
        { .mii
          mov r1 = r42
          mov b0 = r41
          mov ar.pfs = r40 ;;
        }
        { .mib
          nop.m 0
          nop.i 0
          br.ret.sptk.many b0 ;;
        }

// Every frame below is in memory before the guest's code runs, and GATE_CALL_MARK notes where: this is where `unwind` comes back to.
// p6 must be set again when the call returns, whatever the guest has made of it.
called:
        { .mmi
          flushrs
          nop.m 0
          nop.i 0 ;;
        }
        { .mii
          break.m GATE + GATE_CALL_MARK
          nop.i 0
          nop.i 0 ;;
        }
        { .mib
          alloc r16 = ar.pfs, 8, 2, 8, 0
          mov r41 = b0
          nop.b 0 ;;
        }
        { .mmi
          mov r40 = r16
          mov r42 = r32
          mov r43 = r33
        }
        { .mmi
          mov r44 = r34
          mov r45 = r35
          mov r46 = r36
        }
        { .mmi
          mov r47 = r37
          mov r48 = r38
          mov r49 = r39 ;;
        }
        { .mib
          nop.m 0
          nop.i 0
          br.call.sptk.many b0 = b6 ;;
        }
returned:
        { .mii
          cmp.eq p6, p0 = r0, r0
          mov b0 = r41
          mov ar.pfs = r40 ;;
        }
        { .mib
          nop.m 0
          nop.i 0
          br.ret.sptk.many b0 ;;
        }

// Exit: back to the mark of the call that started the image, as if the call had returned r8. r14 backing store, r15 its RNAT, r16
// PFS, r17 return link, r18 stack pointer, r19 RSC.
unwind:
        { .mmi
          alloc r2 = ar.pfs, 0, 0, 0, 0
          nop.m 0
          nop.i 0 ;;
        }
        { .mmi
          flushrs ;;
          mov ar.rsc = 0
          mov ar.pfs = r16 ;;
        }
        { .mmi
          mov ar.bspstore = r14
          mov r12 = r18
          mov b0 = r17 ;;
        }
        { .mmi
          mov ar.rnat = r15
          invala
          cmp.eq p6, p0 = r0, r0 ;;
        }
        { .mib
          mov ar.rsc = r19
          nop.i 0
          br.ret.sptk.many b0 ;;
        }

// A service that waits: sleeps until an interrupt, then is called again. r10 the bundle of its gate.
nap:
        { .mii
          nop.m 0
          mov b7 = r10
          nop.i 0 ;;
        }
        { .mii
          break.m GATE + GATE_NAP
          nop.i 0
          nop.i 0 ;;
        }
        { .mib
          nop.m 0
          nop.i 0
          br.cond.sptk.many b7 ;;
        }

// Behind the last notification that an interrupt has brought: the handler puts everything back.
notified:
        { .mib
          break.m GATE + GATE_NOTIFIED
          nop.i 0
          nop.b 0 ;;
        }
resume:
        { .mib
          nop.m 0
          nop.i 0
          rfi ;;
        }

        .balign 32, 0
protocol_functions:
index = 0
        .rept PROTOCOL_FUNCTIONS
        procedure GATE_PROTOCOL + index
index = index + 1
        .endr
