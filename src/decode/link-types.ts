/** Link types (https://www.tcpdump.org/linktypes.html): the numbers that the decoder knows, and names for the report. */

export const NULL = 0;
export const EN10MB = 1;
export const PPP = 9;
export const FDDI = 10;
/** DLT_RAW of most systems and of OpenBSD, found in files whose writers did not map it to LINKTYPE_RAW. */
export const RAW_BSD = 12;
export const RAW_OPENBSD = 14;
export const PPP_HDLC = 50;
export const PPP_ETHER = 51;
export const RAW = 101;
export const C_HDLC = 104;
export const IEEE802_11 = 105;
export const LOOP = 108;
export const LINUX_SLL = 113;
export const IEEE802_11_RADIOTAP = 127;
/** LINKTYPE_USER2, which Darwin's tcpdump used for PKTAP before it had a number. */
export const USER2 = 149;
export const PPI = 192;
export const MPLS = 219;
export const IPV4 = 228;
export const IPV6 = 229;
export const NFLOG = 239;
export const PKTAP = 258;
export const LINUX_SLL2 = 276;

const NAMES: Readonly<Record<number, string>> = {
  [NULL]: 'NULL',
  [EN10MB]: 'EN10MB',
  3: 'AX25',
  6: 'IEEE802',
  7: 'ARCNET',
  8: 'SLIP',
  [PPP]: 'PPP',
  [FDDI]: 'FDDI',
  [RAW_BSD]: 'RAW',
  [RAW_OPENBSD]: 'RAW',
  [PPP_HDLC]: 'PPP_HDLC',
  [PPP_ETHER]: 'PPP_ETHER',
  100: 'ATM_RFC1483',
  [RAW]: 'RAW',
  [C_HDLC]: 'C_HDLC',
  [IEEE802_11]: 'IEEE802_11',
  106: 'ATM_CLIP',
  107: 'FRELAY',
  [LOOP]: 'LOOP',
  [LINUX_SLL]: 'LINUX_SLL',
  119: 'PRISM_HEADER',
  122: 'IP_OVER_FC',
  123: 'SUNATM',
  [IEEE802_11_RADIOTAP]: 'IEEE802_11_RADIO',
  129: 'ARCNET_LINUX',
  147: 'USER0',
  148: 'USER1',
  [USER2]: 'USER2',
  163: 'IEEE802_11_RADIO_AVS',
  165: 'BACNET_MS_TP',
  177: 'LINUX_LAPD',
  187: 'BLUETOOTH_HCI_H4',
  189: 'USB_LINUX',
  [PPI]: 'PPI',
  195: 'IEEE802_15_4',
  201: 'BLUETOOTH_HCI_H4_WITH_PHDR',
  [MPLS]: 'MPLS',
  220: 'USB_LINUX_MMAPPED',
  227: 'CAN_SOCKETCAN',
  [IPV4]: 'IPV4',
  [IPV6]: 'IPV6',
  230: 'IEEE802_15_4_NOFCS',
  231: 'DBUS',
  [NFLOG]: 'NFLOG',
  242: 'IPOIB',
  247: 'INFINIBAND',
  249: 'USBPCAP',
  253: 'NETLINK',
  [PKTAP]: 'PKTAP',
  270: 'LORATAP',
  271: 'VSOCK',
  272: 'NORDIC_BLE',
  274: 'ETHERNET_MPACKET',
  [LINUX_SLL2]: 'LINUX_SLL2',
  281: 'DSA_TAG_BRCM',
  284: 'DSA_TAG_DSA',
  285: 'DSA_TAG_EDSA',
};

/** "EN10MB", or the number for one without a name here. */
export function linkTypeName(linkType: number): string {
  return NAMES[linkType] ?? String(linkType);
}
