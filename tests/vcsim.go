// A vCenter for tests: the simulator of govmomi, with guest tools that tell an address while a machine runs.
//
// Usage: vcsim certificate.pem private.pem user password
package main

import (
	"crypto/tls"
	"fmt"
	"log"
	"net/url"
	"os"
	"sync/atomic"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// tools stand for those that run in real guests: the simulator has none.
type tools struct{ told uint32 }

func (*tools) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "GuestTools", Value: "tests"}
}

func (*tools) PutObject(mo.Reference) {}

func (*tools) RemoveObject(types.ManagedObjectReference) {}

func (t *tools) UpdateObject(object mo.Reference, changes []types.PropertyChange) {
	machine, is := object.(*mo.VirtualMachine)
	for _, change := range changes {
		switch {
		case is && change.Name == "runtime.powerState":
			t.hear(machine, change.Val == types.VirtualMachinePowerStatePoweredOn)
		case is && change.Name == "config.hardware.device":
			part(machine)
		}
	}
}

// part a clone from its template: the simulator lets both have the same disk, and renames its file at each clone.
func part(machine *mo.VirtualMachine) {
	for i, device := range machine.Config.Hardware.Device {
		if disk, is := device.(*types.VirtualDisk); is {
			own, backing := *disk, *disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
			own.Backing = &backing
			machine.Config.Hardware.Device[i] = &own
		}
	}
}

// hear of a machine that was switched on or off; one that was customized has its address already.
func (t *tools) hear(machine *mo.VirtualMachine, on bool) {
	status := types.VirtualMachineToolsRunningStatusGuestToolsNotRunning
	if on {
		status = types.VirtualMachineToolsRunningStatusGuestToolsRunning
	}
	machine.Guest.ToolsRunningStatus = string(status)
	if on && machine.Guest.IpAddress == "" {
		number := atomic.AddUint32(&t.told, 1)
		machine.Guest.IpAddress = fmt.Sprintf("198.18.%d.%d", 128+number/250, number%250+1)
	}
}

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	model := simulator.VPX()
	model.Host, model.Cluster, model.Machine, model.Autostart = 0, 2, 1, false
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(os.Args[3], os.Args[4])}
	simulator.Map.AddHandler(new(tools))
	fmt.Println(model.Service.NewServer().URL.Port())
	select {}
}
