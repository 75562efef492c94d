// The monitor: enters a virtual environment, runs its guest without and with accelerations, and counts the exits.
        .include "monitor.inc"

// PAL procedure with one to three arguments, stacked calling convention.
        .macro call_pal number, a=r0, b=r0, c=r0
        mov out0 = \number
        mov out1 = \a
        mov out2 = \b
        mov out3 = \c
        call pal_stacked
        .endm

        .macro require_success what
        mov loc3 = r8
        cmp.eq p6, p0 = 0, r8
  (p6)  br.cond.sptk.many 78f
        say "MONITOR FAILED: \what status "
        sub out0 = r0, loc3
        call put_decimal
        br.cond.sptk.many failure
78:
        .endm

        .text
        .global main
// in0 boot parameters, in1 EFI system table. r8 0, or EFI_DEVICE_ERROR.
        function main, 2, 4
        add r2 = 8, in0
        movl r3 = CACHED
        or r2 = r2, r3
        ld8 loc2 = [r2]
        mov out0 = loc2
        call find_firmware
        mov out0 = loc2
        call find_console
        say "Epicure's example of a virtual machine monitor\n"
        mov out0 = PAL_PROC_GET_FEATURES
        mov out1 = 0
        mov out2 = 0
        call pal
        tbit.nz p6, p0 = r10, FEATURE_VM
  (p6)  br.cond.sptk.many 1f
        say "MONITOR FAILED: no virtual machine features"
        br.cond.sptk.many failure
1:      call_pal PAL_VP_ENV_INFO
        mov loc4 = r9
        mov loc5 = r10
        require_success "PAL_VP_ENV_INFO"
        say "environment: "
        mov out0 = loc4
        call put_decimal
        say " bytes, options "
        mov out0 = loc5
        mov out1 = 1
        call put_hex
        say "\n"
        mov out0 = 0
        movl out1 = VP_INITIALIZE + VP_OPCODE + VP_CAUSE
        movl out2 = PSR_SI              // so that moves from ITC are intercepted
        call run
        mov out0 = ALL_ACCELERATIONS
        movl out1 = VP_INITIALIZE + VP_OPCODE + VP_CAUSE + VP_GITC
        mov out2 = 0
        call run
        say "EPICURE VMM PASSED\n"
        mov r8 = 0
        return

        .global failure
failure:
        say "\n"
        movl r8 = 1 << 63 | 7
        br.cond.sptk.many power_off

// One run: vac in0, options of the environment in1, bits of the guest's processor's PSR in2.
        function run, 3, 2
        movl r2 = guest_psr
        movl r3 = PSR_IC + PSR_I + PSR_DT + PSR_RT + PSR_IT + PSR_BN + PSR_VM
        or r3 = r3, in2
        st8 [r2] = r3
        movl r17 = environment - KERNEL_OFFSET
        movl r18 = environment
        call_pal PAL_VP_INIT_ENV, in1, r17, r18
        movl r2 = service_base
        st8 [r2] = r9
        require_success "PAL_VP_INIT_ENV"

        movl r2 = vpd
        movl r3 = VPD_SIZE / 8 - 1
        mov ar.lc = r3
1:      st8 [r2] = r0, 8
        br.cloop.sptk.few 1b
        movl r2 = exits
        mov ar.lc = EXIT_KINDS - 1
1:      st8 [r2] = r0, 8
        br.cloop.sptk.few 1b
        movl r2 = interrupts
        movl r3 = pending
        st8 [r2] = r0, 8
        st8 [r2] = r0
        st8 [r3] = r0, 8                // pending and in_service
        st8 [r3] = r0
        vpd_address r2, VPD_VAC
        st8 [r2] = in0, 16              // vdc 0
        movl r3 = environment
        st8 [r2] = r3
        vpd_address r2, VPD_VCPUID + 24
        movl r3 = 0x20005504
        st8 [r2] = r3
        vpd_address r2, VPD_VPSR        // a processor in virtual mode whose interruptions are off
        movl r3 = PSR_DT + PSR_RT + PSR_IT + PSR_BN
        st8 [r2] = r3
        vpd_address r2, VPD_VRR + 8     // region 1 is the guest's
        movl r3 = (RID + 1) << 8 | 12 << 2
        st8 [r2] = r3
        movl r17 = vpd
        movl r18 = ivt
        call_pal PAL_VP_CREATE, r17, r18
        require_success "PAL_VP_CREATE"

        say "run with vac "
        mov out0 = in0
        mov out1 = 1
        call put_hex
        say "\n"
        movl out0 = guest_start
        call run_guest
        movl r3 = 1 << 16               // no more timer interrupts
        mov cr.itv = r3
        serialize d
        call print_exits
        movl r17 = TEST_PAGE
        mov r18 = 12 << 2
        ptc.l r17, r18
        serialize d
        movl r17 = vpd
        call_pal PAL_VP_TERMINATE, r17
        require_success "PAL_VP_TERMINATE"
        call_pal PAL_VP_EXIT_ENV
        require_success "PAL_VP_EXIT_ENV"
        return

        function print_exits, 0, 3
        movl loc2 = exits
        movl loc3 = exit_names
        mov loc4 = EXIT_KINDS
1:      ld8 r14 = [loc2], 8
        cmp.eq p6, p0 = 0, r14
  (p6)  br.cond.sptk.many 2f
        say "exit "
        ld8 out0 = [loc3]
        call puts
        say ": "
        add r2 = -8, loc2
        ld8 out0 = [r2]
        call put_decimal
        say "\n"
2:      add loc3 = 8, loc3
        add loc4 = -1, loc4
        cmp.ne p6, p0 = 0, loc4
  (p6)  br.cond.sptk.many 1b
        return

// PAL procedure in0 with arguments in1 to in3, stacked calling convention: r8 to r11 are its results.
        function pal_stacked, 4, 0
        movl r2 = pal_entry
        ld8 r2 = [r2]
        mov b7 = r2
        mov r28 = in0
        mov out0 = in0
        mov out1 = in1
        mov out2 = in2
        mov out3 = in3
        call b7
        return

        .rodata
        .balign 8
        .macro names first, rest:vararg
        .pushsection .rodata.text
66:     .asciz "\first"
        .popsection
        data8 66b
        .ifnb \rest
        names \rest
        .endif
        .endm
exit_names:                             // Volume 2, table 11-22, and this monitor's
        names "0", "mov ar=r", "mov ar=imm", "mov r=ar", "mov cr=r", "mov r=cr", "mov psr.l=r", "mov r=psr", "itc.d", "itc.i"
        names "mov rr=r", "mov dbr=r", "mov ibr=r", "mov pkr=r", "mov pmc=r", "mov pmd=r", "itr.d", "itr.i", "mov r=rr", "mov r=dbr"
        names "mov r=ibr", "mov r=pkr", "mov r=pmc", "mov r=cpuid", "ssm", "rsm", "ptc.l", "ptc.g", "ptc.ga", "ptr.d", "ptr.i"
        names "thash", "ttag", "tpa", "tak", "ptc.e", "cover", "rfi", "bsw.0", "bsw.1", "vmsw", "probe"
        names "break", "call", "alternate data TLB", "external interrupt", "virtual external interrupt"
