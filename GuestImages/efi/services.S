// Checks boot services against EFI 1.10 and UEFI 2: what they return, and what they do. One line for each failure, then the verdict.
        .include "pe.inc"
        .include "check.inc"
        pe_header

        function entry, 2, 1
        mov out0 = in0
        mov out1 = in1
        br.call.sptk.many b0 = prepare
        mov r1 = loc2
        br.call.sptk.many b0 = test_memory
        mov r1 = loc2
        br.call.sptk.many b0 = test_map
        mov r1 = loc2
        br.call.sptk.many b0 = test_protocols
        mov r1 = loc2
        br.call.sptk.many b0 = test_open
        mov r1 = loc2
        br.call.sptk.many b0 = test_events
        mov r1 = loc2
        br.call.sptk.many b0 = test_timers
        mov r1 = loc2
        br.call.sptk.many b0 = test_interrupts
        mov r1 = loc2
        br.call.sptk.many b0 = test_nested_stall
        mov r1 = loc2
        br.call.sptk.many b0 = test_utilities
        mov r1 = loc2
        br.call.sptk.many b0 = test_images
        mov r1 = loc2
        br.call.sptk.many b0 = test_pointers
        mov r1 = loc2
        br.call.sptk.many b0 = verdict
        mov r1 = loc2
        return

// AllocatePages, FreePages, AllocatePool, FreePool (EFI 1.10, section 5.2).
        function test_memory, 0, 3
        address out3, value
        mov out0 = 0                    // any pages, loader data
        mov out1 = 2
        mov out2 = 3
        boot ALLOCATE_PAGES
        expect r8, 0, "AllocatePages"
        load_at loc3, value
        extr.u r16 = loc3, 0, 12
        expect r16, 0, "AllocatePages: alignment"
        st8 [loc3] = loc3
        // The same address again.
        address out3, value
        boot ALLOCATE_PAGES, 2, 2, 1
        expect r8, NOT_FOUND, "AllocatePages: address in use"
        boot FREE_PAGES, loc3, 3
        expect r8, 0, "FreePages"
        boot FREE_PAGES, loc3, 3
        expect r8, NOT_FOUND, "FreePages: free already"
        address out3, value
        boot ALLOCATE_PAGES, 2, 2, 3
        expect r8, 0, "AllocatePages: address"
        // Its middle page only.
        movl r16 = 0x1000
        add loc4 = r16, loc3
        boot FREE_PAGES, loc4, 1
        expect r8, 0, "FreePages: a part"
        boot FREE_PAGES, loc3, 3
        expect r8, NOT_FOUND, "FreePages: a hole"
        boot FREE_PAGES, loc3, 1
        expect r8, 0, "FreePages: before the hole"
        movl r16 = 0x2000
        add loc4 = r16, loc3
        boot FREE_PAGES, loc4, 1
        expect r8, 0, "FreePages: behind the hole"
        // Below 16 MiB.
        movl r16 = 0xffffff
        store_at value, r16
        address out3, value
        boot ALLOCATE_PAGES, 1, 2, 16
        expect r8, 0, "AllocatePages: maximum"
        load_at loc3, value
        movl r16 = 0xff0001
        expect_relation ltu, loc3, r16, "AllocatePages: below the maximum"
        boot FREE_PAGES, loc3, 16
        mov loc4 = 24
1:      address out2, value
        boot ALLOCATE_POOL, 4, loc4
        expect r8, 0, "AllocatePool"
        load_at loc3, value
        and r16 = 7, loc3
        expect r16, 0, "AllocatePool: alignment"
        st8 [loc3] = r0
        boot FREE_POOL, loc3
        expect r8, 0, "FreePool"
        boot FREE_POOL, loc3
        expect r8, INVALID_PARAMETER, "FreePool: free already"
        shl loc4 = loc4, 4
        movl r16 = 0x10000
        cmp.ltu p6, p0 = loc4, r16
 (p6)   br.cond.sptk.many 1b
        address out3, value
        boot ALLOCATE_PAGES, 0, 7, 1
        expect r8, INVALID_PARAMETER, "AllocatePages: conventional"
        movl out2 = 1 << 39
        address out3, value
        boot ALLOCATE_PAGES, 0, 2
        expect r8, ERROR | 9, "AllocatePages: too many"
        return

// GetMemoryMap: sizes, descriptors in order, the key.
        function test_map, 0, 4
        store_at value, r0
        address out0, value
        address out2, key
        address out3, stride
        address out4, version
        mov out1 = 0
        boot GET_MEMORY_MAP
        expect r8, BUFFER_TOO_SMALL, "GetMemoryMap: no room"
        load_at loc3, value
        expect_relation ltu, r0, loc3, "GetMemoryMap: size"
        movl r16 = 0x4000
        expect_relation ltu, loc3, r16, "GetMemoryMap: fits"
        store_at value, r16
        address out0, value
        address out1, map
        address out2, key
        address out3, stride
        address out4, version
        boot GET_MEMORY_MAP
        expect r8, 0, "GetMemoryMap"
        expect_at version, 1, "GetMemoryMap: version"
        load_at loc4, stride
        mov r16 = 39
        expect_relation ltu, r16, loc4, "GetMemoryMap: stride"
        // Every range begins where the last one ends, or later.
        load_at loc5, value
        address loc3, map
        add loc5 = loc3, loc5
        mov loc6 = 0
1:      add r16 = 8, loc3
        ld8 r17 = [r16], 16
        ld8 r18 = [r16]
        shl r18 = r18, 12
        cmp.leu p6, p7 = loc6, r17
        add loc6 = r17, r18
        add loc3 = loc3, loc4
 (p7)   br.cond.spnt.many 2f
        cmp.ltu p6, p0 = loc3, loc5
 (p6)   br.cond.sptk.many 1b
        mov r16 = 0
        br.cond.sptk.many 3f
2:      mov r16 = 1
3:      expect r16, 0, "GetMemoryMap: order"
        // A key that is not the map's.
        load_at loc3, key
        add loc3 = 1, loc3
        load_at loc4, image_handle
        boot EXIT_BOOT_SERVICES, loc4, loc3
        expect r8, INVALID_PARAMETER, "ExitBootServices: old key"
        return

// Handles and protocols (EFI 1.10, section 5.3).
        function test_protocols, 0, 3
        store_at handle, r0
        address out0, handle
        address out1, guid_a
        movl out3 = 0xabcd
        boot INSTALL_PROTOCOL, , , 0
        expect r8, 0, "InstallProtocolInterface"
        load_at loc3, handle
        address out1, guid_a
        address out2, value
        boot HANDLE_PROTOCOL, loc3
        expect r8, 0, "HandleProtocol"
        expect_at value, 0xabcd, "HandleProtocol: interface"
        address out1, guid_b
        address out2, value
        boot HANDLE_PROTOCOL, loc3
        expect r8, UNSUPPORTED, "HandleProtocol: not there"
        address out0, handle
        address out1, guid_a
        boot INSTALL_PROTOCOL, , , 0, 1
        expect r8, INVALID_PARAMETER, "InstallProtocolInterface: twice"
        address out0, guid_a
        address out2, value
        boot LOCATE_PROTOCOL, , 0
        expect r8, 0, "LocateProtocol"
        expect_at value, 0xabcd, "LocateProtocol: interface"
        address out0, guid_b
        address out2, value
        boot LOCATE_PROTOCOL, , 0
        expect r8, NOT_FOUND, "LocateProtocol: not there"
        mov r16 = 4
        store_at value, r16
        address out1, guid_a
        address out3, value
        address out4, map
        boot LOCATE_HANDLE, 2, , 0
        expect r8, BUFFER_TOO_SMALL, "LocateHandle: no room"
        expect_at value, 8, "LocateHandle: size"
        address out1, guid_a
        address out3, value
        address out4, map
        boot LOCATE_HANDLE, 2, , 0
        expect r8, 0, "LocateHandle"
        load_at r16, map
        expect_relation eq, r16, loc3, "LocateHandle: handle"
        // A second protocol, and a third that is there already: nothing is installed.
        address out0, handle
        address out1, guid_b
        mov out2 = 1
        address out3, guid_a
        mov out4 = 2
        mov out5 = 0
        boot INSTALL_MULTIPLE
        expect r8, INVALID_PARAMETER, "InstallMultipleProtocolInterfaces: twice"
        address out1, guid_b
        address out2, value
        boot HANDLE_PROTOCOL, loc3
        expect r8, UNSUPPORTED, "InstallMultipleProtocolInterfaces: all or nothing"
        address out0, handle
        address out1, guid_b
        mov out2 = 1
        mov out3 = 0
        boot INSTALL_MULTIPLE
        expect r8, 0, "InstallMultipleProtocolInterfaces"
        address out1, guid_b
        boot UNINSTALL_PROTOCOL, loc3, , 2
        expect r8, NOT_FOUND, "UninstallProtocolInterface: another interface"
        address out1, guid_b
        mov out2 = 1
        address out3, guid_a
        movl out4 = 0xabcd
        mov out5 = 0
        boot UNINSTALL_MULTIPLE, loc3
        expect r8, 0, "UninstallMultipleProtocolInterfaces"
        address out1, guid_a
        address out2, value
        boot HANDLE_PROTOCOL, loc3
        expect r8, INVALID_PARAMETER, "HandleProtocol: no such handle"
        return

// OpenProtocol and CloseProtocol.
        function test_open, 0, 4
        store_at handle, r0
        address out0, handle
        address out1, guid_a
        boot INSTALL_PROTOCOL, , , 0, 77
        load_at loc3, handle
        load_at loc4, image_handle
        address out1, guid_a
        address out2, value
        boot OPEN_PROTOCOL, loc3, , , loc4, 0, 2
        expect r8, 0, "OpenProtocol: get"
        expect_at value, 77, "OpenProtocol: interface"
        address out1, guid_a
        address out2, value
        boot OPEN_PROTOCOL, loc3, , , loc4, loc3, 16
        expect r8, 0, "OpenProtocol: by driver"
        address out1, guid_a
        address out2, value
        boot OPEN_PROTOCOL, loc3, , , loc4, loc3, 16
        expect r8, ALREADY_STARTED, "OpenProtocol: by driver, twice"
        address out1, guid_a
        address out2, value
        boot OPEN_PROTOCOL, loc3, , , loc4, 0, 32
        expect r8, ACCESS_DENIED, "OpenProtocol: exclusive"
        address out1, guid_a
        boot UNINSTALL_PROTOCOL, loc3, , 77
        expect r8, ACCESS_DENIED, "UninstallProtocolInterface: in use"
        address out1, guid_a
        boot CLOSE_PROTOCOL, loc3, , loc4, loc3
        expect r8, 0, "CloseProtocol"
        address out1, guid_a
        boot CLOSE_PROTOCOL, loc3, , loc4, loc3
        expect r8, NOT_FOUND, "CloseProtocol: closed"
        address out1, guid_a
        boot OPEN_PROTOCOL, loc3, , 0, loc4, 0, 4
        expect r8, 0, "OpenProtocol: test"
        address out1, guid_a
        address out2, value
        boot OPEN_PROTOCOL, loc3, , , loc4, 0, 3
        expect r8, INVALID_PARAMETER, "OpenProtocol: attributes"
        address out1, guid_a
        boot UNINSTALL_PROTOCOL, loc3, , 77
        expect r8, 0, "UninstallProtocolInterface"
        return

// A notification function: in0 event, in1 context, the address of what it counts. Remembers the order.
        function notify, 2, 2
        ld8 r16 = [in1]
        add r16 = 1, r16
        st8 [in1] = r16
        load_at r17, order
        shl r17 = r17, 4
        add r16 = 8, in1
        ld8 r16 = [r16]
        or r17 = r17, r16
        store_at order, r17
        // Scratch registers are the notification's to change.
        mov r8 = -1
        mov r9 = -1
        mov r10 = -1
        mov r11 = -1
        mov r20 = -1
        mov r31 = -1
        setf.sig f6 = r9
        setf.sig f40 = r9
        mov ar.ccv = r9
        cmp.eq p6, p7 = r0, r0
        cmp.eq p8, p9 = r0, r0
        return

// Events and task priority levels (EFI 1.10, section 5.1).
        function test_events, 0, 4
        mov out0 = 0x200                // notify signal
        mov out1 = 8
        address out2, notify_descriptor
        address out3, counter_a
        address out4, event_a
        boot CREATE_EVENT
        expect r8, 0, "CreateEvent"
        load_at loc3, event_a
        mov out0 = 0x200
        mov out1 = 16
        address out2, notify_descriptor
        address out3, counter_b
        address out4, event_b
        boot CREATE_EVENT
        load_at loc4, event_b
        boot SIGNAL_EVENT, loc3
        expect r8, 0, "SignalEvent"
        expect_at counter_a, 1, "SignalEvent: notification"
        boot SIGNAL_EVENT, loc3
        expect_at counter_a, 2, "SignalEvent: again"
        store_at order, r0
        boot RAISE_TPL, 16
        expect r8, 4, "RaiseTPL"
        boot SIGNAL_EVENT, loc3
        boot SIGNAL_EVENT, loc4
        boot SIGNAL_EVENT, loc4
        expect_at order, 0, "RaiseTPL: no notifications"
        boot RESTORE_TPL, 8
        expect_at order, 2, "RestoreTPL: the higher one"
        boot RESTORE_TPL, 4
        expect_at order, 0x21, "RestoreTPL: then the lower one"
        expect_at counter_b, 1, "SignalEvent: one notification for two signals"
        boot CHECK_EVENT, loc3
        expect r8, INVALID_PARAMETER, "CheckEvent: notify signal"
        boot CLOSE_EVENT, loc3
        expect r8, 0, "CloseEvent"
        boot SIGNAL_EVENT, loc3
        expect r8, INVALID_PARAMETER, "SignalEvent: closed"
        boot CLOSE_EVENT, loc4
        // An event that notifies while somebody waits for it.
        mov out0 = 0x100
        mov out1 = 8
        address out2, notify_descriptor
        address out3, counter_c
        address out4, event_a
        boot CREATE_EVENT
        load_at loc3, event_a
        boot CHECK_EVENT, loc3
        expect r8, NOT_READY, "CheckEvent"
        expect_at counter_c, 1, "CheckEvent: notification"
        boot SIGNAL_EVENT, loc3
        expect_at counter_c, 1, "SignalEvent: notify wait"
        boot CHECK_EVENT, loc3
        expect r8, 0, "CheckEvent: signalled"
        boot CHECK_EVENT, loc3
        expect r8, NOT_READY, "CheckEvent: once"
        boot CLOSE_EVENT, loc3
        // Notice of a protocol.
        mov out0 = 0x200
        mov out1 = 8
        address out2, notify_descriptor
        address out3, counter_d
        address out4, event_a
        boot CREATE_EVENT
        load_at loc3, event_a
        address out0, guid_b
        address out2, value
        boot REGISTER_NOTIFY, , loc3
        expect r8, 0, "RegisterProtocolNotify"
        load_at loc5, value
        store_at handle, r0
        address out0, handle
        address out1, guid_b
        boot INSTALL_PROTOCOL, , , 0, 99
        expect_at counter_d, 1, "RegisterProtocolNotify: notification"
        mov r16 = 8
        store_at value, r16
        address out3, value
        address out4, map
        boot LOCATE_HANDLE, 1, 0, loc5
        expect r8, 0, "LocateHandle: by registration"
        load_at r16, map
        load_at r19, handle
        expect_relation eq, r16, r19, "LocateHandle: the new handle"
        address out3, value
        address out4, map
        boot LOCATE_HANDLE, 1, 0, loc5
        expect r8, NOT_FOUND, "LocateHandle: once"
        load_at loc5, handle
        address out1, guid_b
        boot UNINSTALL_PROTOCOL, loc5, , 99
        boot CLOSE_EVENT, loc3
        return

// Timers, WaitForEvent and Stall. The interval timer counts 400 million times a second.
        function test_timers, 0, 4
        movl out0 = 0x80000000
        address out4, event_a
        boot CREATE_EVENT, , 0, 0, 0
        expect r8, 0, "CreateEvent: timer"
        load_at loc3, event_a
        boot CHECK_EVENT, loc3
        expect r8, NOT_READY, "CheckEvent: timer not set"
        mov loc4 = ar.itc
        movl out2 = 50000               // 5 ms in units of 100 ns
        boot SET_TIMER, loc3, 2
        expect r8, 0, "SetTimer"
        mov r16 = -1
        store_at value, r16
        address out1, event_a
        address out2, value
        boot WAIT_FOR_EVENT, 1
        expect r8, 0, "WaitForEvent"
        expect_at value, 0, "WaitForEvent: index"
        mov r16 = ar.itc
        sub loc4 = r16, loc4
        movl r16 = 2000000
        expect_relation leu, r16, loc4, "WaitForEvent: not too early"
        movl r16 = 2400000
        expect_relation ltu, loc4, r16, "WaitForEvent: not too late"
        boot CHECK_EVENT, loc3
        expect r8, NOT_READY, "WaitForEvent: event is taken"
        boot RAISE_TPL, 8
        address out1, event_a
        address out2, value
        boot WAIT_FOR_EVENT, 1
        expect r8, UNSUPPORTED, "WaitForEvent: raised TPL"
        boot RESTORE_TPL, 4
        mov loc4 = ar.itc
        movl out0 = 3000
        boot STALL
        expect r8, 0, "Stall"
        mov r16 = ar.itc
        sub loc4 = r16, loc4
        movl r16 = 1200000
        expect_relation leu, r16, loc4, "Stall: not too short"
        movl out2 = 10000
        boot SET_TIMER, loc3, 2
        boot SET_TIMER, loc3, 0, 0
        movl out0 = 3000
        boot STALL
        boot CHECK_EVENT, loc3
        expect r8, NOT_READY, "SetTimer: cancelled"
        boot CLOSE_EVENT, loc3
        return

// A periodic timer notifies while the image computes, and none of the image's registers changes.
        function test_interrupts, 0, 12
        movl out0 = 0x80000200
        mov out1 = 8
        address out2, notify_descriptor
        address out3, counter_e
        address out4, event_a
        boot CREATE_EVENT
        expect r8, 0, "CreateEvent: timer with notification"
        load_at loc3, event_a
        movl out2 = 10000               // 1 ms
        boot SET_TIMER, loc3, 1
        address loc4, counter_e
        movl r8 = 0x1111111111111111
        mov r9 = r8
        mov r10 = r8
        mov r11 = r8
        mov r20 = r8
        mov r31 = r8
        setf.sig f6 = r8
        setf.sig f40 = r8
        mov ar.ccv = r8
        mov loc5 = r8
        cmp.ne p6, p7 = r0, r0
        cmp.ne p8, p9 = r0, r0
        mov loc6 = ar.itc
1:      ld8 r16 = [loc4]
        mov r17 = ar.itc
        sub r17 = r17, loc6
        movl r18 = 8000000              // 20 ms
        cmp.ltu p10, p0 = r18, r17
 (p10)  br.cond.spnt.many 2f
        cmp.gtu p10, p0 = 5, r16
 (p10)  br.cond.sptk.many 1b
2:      mov loc7 = r9
        mov loc8 = r20
        getf.sig loc9 = f6
        getf.sig loc10 = f40
        mov loc11 = ar.ccv
        mov loc12 = r31
        mov loc13 = 0
 (p6)   mov loc13 = 1
 (p8)   mov loc13 = 1
        expect_relation eq, r8, loc5, "interrupt: r8"
        expect_relation eq, loc7, loc5, "interrupt: r9"
        expect_relation eq, loc8, loc5, "interrupt: r20"
        expect_relation eq, loc12, loc5, "interrupt: r31"
        expect_relation eq, loc9, loc5, "interrupt: f6"
        expect_relation eq, loc10, loc5, "interrupt: f40"
        expect_relation eq, loc11, loc5, "interrupt: ar.ccv"
        expect loc13, 0, "interrupt: predicates"
        expect_at counter_e, 5, "SetTimer: periodic notifications"
        boot CLOSE_EVENT, loc3
        return

// A notification function that stalls for 2 ms.
        function stalling_notify, 2, 1
        ld8 r16 = [in1]
        add r16 = 1, r16
        st8 [in1] = r16
        movl out0 = 2000
        boot STALL
        return

// An image that stalls is interrupted by a notification that stalls: both take their time.
        function test_nested_stall, 0, 3
        movl out0 = 0x80000200
        mov out1 = 8
        address out2, stalling_descriptor
        address out3, counter_f
        address out4, event_a
        boot CREATE_EVENT
        load_at loc3, event_a
        movl out2 = 10000               // 1 ms
        boot SET_TIMER, loc3, 2
        mov loc4 = ar.itc
        movl out0 = 10000
        boot STALL
        mov r16 = ar.itc
        sub loc4 = r16, loc4
        movl r16 = 4000000              // 10 ms
        expect_relation leu, r16, loc4, "Stall: interrupted, not too short"
        movl r16 = 4400000
        expect_relation ltu, loc4, r16, "Stall: interrupted, not too long"
        expect_at counter_f, 1, "Stall: notification"
        boot CLOSE_EVENT, loc3
        return

// CRC, moving memory, the monotonic count.
        function test_utilities, 0, 3
        address out0, nine
        address out2, value
        store_at value, r0
        boot CRC32, , 9
        expect r8, 0, "CalculateCrc32"
        expect_at value, 0xcbf43926, "CalculateCrc32: value"
        address out0, map
        mov out2 = 0x5a
        boot SET_MEMORY, , 16
        load_at r16, map
        expect r16, 0x5a5a5a5a5a5a5a5a, "SetMem"
        movl r16 = 0x0807060504030201
        store_at map, r16
        address out1, map
        add out0 = 1, out1
        boot COPY_MEMORY, , , 8
        load_at r16, map
        expect r16, 0x0706050403020101, "CopyMem: overlap"
        address out0, value
        boot MONOTONIC_COUNT
        expect r8, 0, "GetNextMonotonicCount"
        load_at loc3, value
        address out0, value
        boot MONOTONIC_COUNT
        load_at r16, value
        add loc3 = 1, loc3
        expect_relation eq, r16, loc3, "GetNextMonotonicCount: next"
        return

// LoadImage and StartImage of an image that calls Exit forty frames deep.
        function test_images, 0, 8
        mov r4 = 44
        mov r5 = 55
        mov r7 = 77
        mov r16 = 16
        setf.sig f2 = r16
        setf.sig f16 = r16
        setf.sig f31 = r16
        mov ar.lc = 9
        cmp.ne p1, p2 = r0, r0
        cmp.ne p16, p17 = r0, r0
        mov loc4 = r12
        load_at loc3, image_handle
        address out3, child
        movl out4 = child_end - child
        address out5, handle
        boot LOAD_IMAGE, 0, loc3, 0
        expect r8, 0, "LoadImage"
        load_at loc5, handle
        address out1, value
        address out2, key
        boot START_IMAGE, loc5
        expect r8, 0x1234, "StartImage: status of Exit"
        mov loc6 = 0
 (p1)   add loc6 = 1, loc6
 (p16)  add loc6 = 1, loc6
        expect loc6, 0, "Exit: predicates"
        expect_at value, 16, "StartImage: size of the exit data"
        expect r4, 44, "Exit: r4"
        expect r5, 55, "Exit: r5"
        expect r7, 77, "Exit: r7"
        getf.sig r16 = f2
        expect r16, 16, "Exit: f2"
        getf.sig r16 = f16
        expect r16, 16, "Exit: f16"
        getf.sig r16 = f31
        expect r16, 16, "Exit: f31"
        mov r16 = ar.lc
        expect r16, 9, "Exit: ar.lc"
        expect_relation eq, r12, loc4, "Exit: stack"
        boot START_IMAGE, loc5, 0, 0
        expect r8, INVALID_PARAMETER, "StartImage: unloaded"
        // Not an image, and one that is cut off.
        address out3, nine
        address out5, handle
        boot LOAD_IMAGE, 0, loc3, 0, , 9
        expect r8, LOAD_ERROR, "LoadImage: no image"
        address out3, child
        movl out4 = 0x800
        address out5, handle
        boot LOAD_IMAGE, 0, loc3, 0
        expect r8, LOAD_ERROR, "LoadImage: cut off"
        // Loaded, not started, unloaded.
        address out3, child
        movl out4 = child_end - child
        address out5, handle
        boot LOAD_IMAGE, 0, loc3, 0
        load_at loc5, handle
        boot UNLOAD_IMAGE, loc5
        expect r8, 0, "UnloadImage"
        boot UNLOAD_IMAGE, loc5
        expect r8, INVALID_PARAMETER, "UnloadImage: unloaded"
        return

// Pointers that lead nowhere, and null.
        function test_pointers, 0, 3
        movl loc3 = 0x3ff000000000
        boot ALLOCATE_POOL, 4, 8, loc3
        expect r8, INVALID_PARAMETER, "AllocatePool: pointer outside memory"
        boot ALLOCATE_POOL, 4, 8, 0
        expect r8, INVALID_PARAMETER, "AllocatePool: null"
        load_at loc4, image_handle
        address out2, value
        boot HANDLE_PROTOCOL, loc4, loc3
        expect r8, INVALID_PARAMETER, "HandleProtocol: pointer outside memory"
        // A function that is not there: the notification is left out.
        mov out0 = 0x200
        mov out1 = 8
        movl out2 = 0x3ff000000000
        address out4, event_a
        boot CREATE_EVENT, , , , 0
        load_at loc4, event_a
        boot SIGNAL_EVENT, loc4
        expect r8, 0, "SignalEvent: function outside memory"
        boot CLOSE_EVENT, loc4
        return

        check_library "EFI SERVICES"

        relocated 10, notify_descriptor
        relocated 10, notify_descriptor + 8
        .balign 16, 0
notify_descriptor:
        data8 notify - image, 0
        relocated 10, stalling_descriptor
        relocated 10, stalling_descriptor + 8
stalling_descriptor:
        data8 stalling_notify - image, 0
// Each counter is followed by its mark in the order of notifications.
counter_a:      data8 0, 1
counter_b:      data8 0, 2
counter_c:      data8 0, 3
counter_d:      data8 0, 4
counter_e:      data8 0, 5
counter_f:      data8 0, 6
guid_a:         data8 0x1111222233334444, 0x5555666677778888
guid_b:         data8 0x1111222233334445, 0x5555666677778888
handle:         data8 0
value:          data8 0
key:            data8 0
stride:         data8 0
version:        data8 0
order:          data8 0
event_a:        data8 0
event_b:        data8 0
nine:           .ascii "123456789"
        .balign 16, 0
child:          .incbin "child.efi"
child_end:
        .balign 16, 0
map:            .skip 0x4000
        pe_end
