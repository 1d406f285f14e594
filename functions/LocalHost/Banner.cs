namespace Failover.LocalHost;

/// <summary>What is printed once the world runs: every function with its trigger, every address.</summary>
internal static class Banner
{
    public static void Print(World world, TextWriter output)
    {
        var ports = world.Options.Ports;
        output.WriteLine($"""

            The world runs on this machine: a simulation around the real functions. Ctrl-C ends it.

              page and control API   http://127.0.0.1:{ports.Page}/
              the item API, to try   http://127.0.0.1:{ports.Page}/api
              DNS, UDP and TCP       dig @127.0.0.1 -p {ports.Dns()} {World.ServiceName}
              the second DNS server  dig @127.0.0.1 -p {ports.Dns(2)} {World.ServiceName}
              Route 53's API         http://127.0.0.1:{ports.Route53}  (zone {World.ZoneId})
              DigitalOcean's API     http://127.0.0.1:{ports.DigitalOcean}/v2/
              services               {string.Join(", ", world.Topology.Services.Select(service => $"{service.Name} ({(service.IsFenced ? service.Lever.ToString().ToLowerInvariant() : "records at DigitalOcean")})"))}
              logs                   {world.RunDirectory}

              {"region",-11}{"function",-18}trigger
            """);
        foreach (var function in world.Functions)
        {
            output.WriteLine($"  {function.Definition.Region,-11}{function.Definition.Name,-18}{function.Definition.Trigger}");
        }

        output.WriteLine();
        foreach (var region in world.Regions)
        {
            output.WriteLine($"  {region.Name,-11}AWS door     http://127.0.0.1:{ports.Aws(region.Number)}");
        }

        output.WriteLine();
    }
}
